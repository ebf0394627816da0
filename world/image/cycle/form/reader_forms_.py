def reader_forms_(self, facts):
    """Bodies that return a value and change nothing; from the second round on with a branch or a loop."""
    if facts['changed']:
        return {}
    names = facts['names']
    i, result, returned = facts['loops']['index'], facts['loops']['local'], facts['returned']
    block = '"\\n    '
    deep = '"\\n        '
    rules = {'body': ['"return " value']}
    if facts['attempt'] == 0:
        return rules
    rules['body'].append(f'"if " flag ":" {deep}return " plain {block}return " plain')
    if returned not in ['number', 'any', 'text', 'list', 'texts', 'numbers']:
        return rules
    # Each kind of sum begins with a value of its kind, and grows by it.
    sums = []
    if returned in ['number', 'any']:
        grown = f'(natom | "{i}" | "{i}" TIMES natom | "len(" "{i}" ")")'
        slots = [name for name in names['number'] if name.startswith('"self.')]
        sums.append([['"0"', '"1"', *[name for name in names['number'] if name not in slots]], [f'"{result}" GROW {grown}']])
        if slots:
            # Nobody can see that a slot is a number: only a new value is no change of it.
            sums.append([slots, [f'"{result}" " = " "{result}" (SIGN | " * ") {grown}']])
    if returned in ['text', 'any']:
        sums.append([['"\\"\\""'], [f'"{result}" " = " "{i}" " + " "{result}"', f'"{result}" " += " (tatom | "{i}")']])
    if returned in ['list', 'texts', 'numbers', 'any']:
        sums.append([['"[]"'], [f'"{result}" ".append(" (eachi | "{i}" | "{i}" SHAPE) ")"']])
    rules['source'] = [
        '"range(" number ("," " " number)? ")"', *names['list'], *names['texts'], *names['numbers'], *names['text'], *names['any'],
    ]
    rules['looptest'] = [
        f'"{i}" " % " natom EQUAL DIGIT', f'"{i}" COMPARE natom', f'"{i}" IN (STRING | "{result}")', f'"{i}" " not in " "{result}"', f'"{i}" ISWHAT',
    ]
    for number, [beginnings, steps] in enumerate(sums):
        rules[f'beginning{number}'] = beginnings
        rules[f'step{number}'] = steps
        rules['body'].append(
            f'"{result}" " = " beginning{number} {block}for {i} in " source ":" {deep}" (step{number} | "if " looptest ":" {deep}    " step{number})'
            f' {block}return {result}"'
        )
    return rules
