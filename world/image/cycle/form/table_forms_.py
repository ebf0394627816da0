def table_forms_(self, facts):
    """Tables: looked into, counted, turned round and filtered."""
    names = facts['names']
    tables = names['table'] + names['any']
    k, v = facts['loops']['key'], facts['loops']['entry']
    rules = {'table': ['"{}"'], 'thing': []}
    if tables:
        rules['dvar'] = tables
        rules['entry'] = ['dvar "[" thing "]"', 'dvar ".get(" thing ("," " " thing)? ")"']
        rules['natom'] = ['"len(" dvar ")"', 'FOLD dvar ".values()" ")"', 'entry']
        rules['tlead'] = ['entry', 'PICK dvar "," " key=" dvar ".get" ")"', 'FIRST dvar ")"']
        rules['test'] = ['thing IN dvar', '"not " dvar', 'thing IN dvar ".values()"']
        rules['latom'] = [
            '"list(" dvar VIEW ")"', '"sorted(" dvar VIEW? ")"',
            f'"[" "{k}" " for " "{k}" "," " " "{v}" " in " dvar ".items()" " if " entrytest "]"',
        ]
        rules['entrytest'] = [f'"{v}" COMPARE natom', f'"{v}" EQUAL thing', f'"{k}" EQUAL thing']
        rules['thing'].append('entry')
        rules['table'] += [
            'dvar', '"dict(" dvar ")"', f'"{{" pair " for " "{k}" "," " " "{v}" " in " dvar ".items()" (" if " entrytest)? "}}"',
        ]
        rules['pair'] = [f'"{v}" ":" " " "{k}"', f'"{k}" ":" " " "{v}" (TIMES natom)?']
    if tables or names['text'] or names['texts'] or names['list']:
        rules['thing'].append('text')
    return rules
