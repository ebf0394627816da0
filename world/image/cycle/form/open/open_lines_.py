def open_lines_(self, facts, family):
    """Statements of one line: what touches locals only (`local`), what changes a slot (`change`), what ends a block."""
    f = family
    values = f'{f}test0 ("," " " {f}test0){{0,4}}'
    place = f'name {f}at{{1,3}}'
    rules = {
        f'{f}test': [f'{f}cond0 ":" NEWLINE'],
        f'{f}if': [f'"if " {f}test'],
        f'{f}while': [f'"while " {f}test'],
        f'{f}for': [f'"for " target " in " {f}test'],
        f'{f}at': [f'OPENS {f}index1 "]"'],
        f'{f}local': [
            f'(name " = "){{1,3}} {f}values', f'name "," " " "*" name " = " {f}values',
            f'{f}spot ("," " " {f}spot){{1,3}} ("," " " "*" name)? " = " {f}values',
            f'name GROW {f}cond0', f'{place} GROW {f}cond0', f'{place} " = " {f}values', f'name {f}at{{0,3}} CHANGE {f}args1 ")"',
            f'"del " {place}', '"pass"',
        ],
        f'{f}spot': ['name', place],
        f'{f}values': [values],
        f'{f}end': ['"return"', f'"return " {f}values', f'{f}raise'],
        f'{f}raise': [f'"raise " ERROR (OPEN {f}args1 CLOSE)?'],
    }
    slots = f' | slot {f}at{{0,3}}' if facts['readable'] or facts['writable'] else ''
    rules[f'{f}local'] += [f'{f}own1', f'(name {f}at{{0,3}}{slots}) {f}send1']
    if f == 'g':
        rules[f'{f}local'].append(f'NAME OPEN {f}args1 CLOSE')
    if facts['writable']:
        taken = f'WRITABLE {f}at{{0,3}} TAKE {f}args1 ")" {f}view0{{0,2}}'
        rules[f'{f}taken'] = [taken]
        rules[f'{f}change'] = [
            f'WRITABLE {f}at{{0,3}} " = " ({f}values | {f}taken)', f'WRITABLE {f}at{{0,3}} GROW ({f}cond0 | {f}taken)',
            f'WRITABLE {f}at{{0,3}} CHANGE ({f}args1 | {f}taken) ")"', f'name " = " {f}taken', f'"del " WRITABLE {f}at{{0,3}}',
            f'{f}slotted ("," " " {f}slotted){{1,2}} " = " {f}values', f'{f}spot "," " " WRITABLE {f}at{{0,2}} " = " {f}values',
        ]
        rules[f'{f}slotted'] = [f'WRITABLE {f}at{{0,2}}', f'{f}spot']
    return rules
