def writer_forms_(self, facts):
    """Bodies that change slots and then signal: just those slots that the examples change, or any where there is none."""
    targets = facts['targets']
    if not targets or (facts['has_examples'] and not facts['changed']):
        return {}
    kinds, result = facts['kinds'], facts['loops']['local']
    into = {'number': 'sum', 'text': 'text', 'flag': 'flag', 'table': 'table', 'list': 'list', 'texts': 'list', 'numbers': 'list', 'any': 'thing'}
    block = '"\\n    '
    deep = '"\\n        '
    rules = {}
    pops = []
    for number, name in enumerate(targets):
        slot = f'"self.{name}"'
        kind = kinds.get('self.' + name, 'any')
        ways = [f'{slot} " = " {into[kind]}', f'{slot} " = " BLANK']
        if kind in ['number', 'any']:
            ways += [f'{slot} GROW number', f'{slot} GROW NUMBER', f'{slot} " = " NUMBER']
        if kind in ['text', 'any']:
            ways += [f'{slot} " += " text', f'{slot} " = " STRING']
        if kind == 'flag':
            ways.append(f'{slot} " = " "not " {slot}')
        if kind in ['list', 'texts', 'numbers', 'any']:
            ways += [
                f'{slot} ".append(" thing ")"', f'{slot} ".remove(" thing ")"', f'{slot} ".insert(" index "," " " thing ")"',
                f'{slot} ".extend(" list ")"', f'{slot} ORDER', f'{slot} ".pop(" index? ")"', f'{slot} "[" index "]" " = " thing',
            ]
            pops.append(f'"{result}" " = " {slot} ".pop(" index? ")"')
        if kind in ['table', 'any']:
            ways += [
                f'{slot} "[" thing "]" " = " thing', f'{slot} "[" thing "]" GROW number', f'{slot} ".pop(" thing ")"',
                f'{slot} "[" thing "]" " = " {slot} ".get(" thing "," " " NUMBER ")" SIGN (natom | NUMBER)',
                f'"del " {slot} "[" thing "]"', f'{slot} ".update(" table ")"',
            ]
            pops.append(f'"{result}" " = " {slot} ".pop(" thing ("," " " thing)? ")"')
        rules[f'change{number}'] = ways
    signal = f'{block}self._p_changed = True"'
    one = '(' + ' | '.join([f'change{number}' for number in range(len(targets))]) + ')'
    changes = one
    if facts['changed']:
        changes = f' {block}" '.join([f'change{number}' for number in range(len(targets))])
        if len(targets) == 2:
            changes += ''.join([f' | "self.{a}" "," " self.{b}" " = " "self.{b}" "," " self.{a}"' for a in targets for b in targets if a < b])
        changes = f'({changes})'
    bodies = []
    if facts['has_outcomes'] or not facts['has_examples']:
        bodies += [f'{pop} {signal} {block}return {result}"' for pop in pops]
        bodies += [f'{changes} {signal} {block}return " plain', f'"{result}" " = " plain {block}" {changes} {signal} {block}return {result}"']
    if not facts['has_outcomes']:
        bodies.append(f'{changes} {signal}')
        if facts['attempt'] > 0:
            bodies += [f'{changes} {block}" {one} {signal}', f'"if " flag ":" {deep}" {one} {deep}self._p_changed = True"']
    rules['body'] = bodies
    return rules
