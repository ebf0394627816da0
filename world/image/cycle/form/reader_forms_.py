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
    steps = []
    starts = []
    if returned in ['number', 'any']:
        starts += ['"0"', '"1"', *names['number']]
        steps.append(f'"{result}" GROW (natom | "{i}" | "{i}" TIMES natom | "len(" "{i}" ")")')
    if returned in ['text', 'any']:
        starts.append('"\\"\\""')
        steps.append(f'"{result}" " = " "{i}" " + " "{result}"')
        steps.append(f'"{result}" " += " (tatom | "{i}")')
    if returned in ['list', 'texts', 'numbers', 'any']:
        starts.append('"[]"')
        steps.append(f'"{result}" ".append(" (eachi | "{i}" | "{i}" SHAPE) ")"')
    rules['source'] = [
        '"range(" number ("," " " number)? ")"', *names['list'], *names['texts'], *names['numbers'], *names['text'], *names['any'],
    ]
    rules['start_value'] = starts
    rules['step'] = steps
    rules['looptest'] = [
        f'"{i}" " % " natom EQUAL DIGIT', f'"{i}" COMPARE natom', f'"{i}" IN (STRING | "{result}")', f'"{i}" " not in " "{result}"', f'"{i}" ISWHAT',
    ]
    rules['body'].append(
        f'"{result}" " = " start_value {block}for {i} in " source ":" {deep}" (step | "if " looptest ":" {deep}    " step)'
        f' {block}return {result}"'
    )
    return rules
