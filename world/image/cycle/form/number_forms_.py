def number_forms_(self, facts):
    """Arithmetic, and the tests over numbers and flags."""
    names = facts['names']
    numbers = names['number']
    unknown = names['any']
    # Where the variables alone may do, literals wait for the second round.
    is_pure = facts['attempt'] == 0 and (len(numbers) > 1 or len(facts['kinds']) > len(numbers))
    rules = {
        'number': ['term (SIGN term){0,2}'],
        'term': ['factor (TIMES factor){0,2}'],
        'factor': ['natom', 'natom " ** " power', '"(" number ")"', '"(" number ")" " ** " power'] + ([] if is_pure else ['NUMBER']),
        'power': ['DIGIT', '"0.5"', *numbers],
        'sum': ['nlead (TIMES factor){0,2} (SIGN term){0,2}', 'NUMBER (SIGN | TIMES) nlead ((SIGN | TIMES) factor){0,2}'],
        'nlead': ['natom', 'natom " ** " power', '"(" number ")" TIMES factor', '"(" number ")" " ** " power'],
        'natom': (['nvar'] if numbers or unknown else []) + [
            '"abs(" number ")"', '"round(" number ("," " " DIGIT)? ")"', '"int(" number ")"',
            '"max(" number "," " " (number | NUMBER) ")"', '"min(" number "," " " (number | NUMBER) ")"', 'MATH number ")"', '"math.pi"',
            'SUMS eachi " for " "' + facts['loops']['index'] + '" " in " "range(" number ("," " " number)? ")" ")"',
            '"math.prod(" "range(" number ("," " " number)? ")" ")"',
        ],
        'nvar': numbers + unknown or ['NUMBER'],
        'thing': ['number', 'NUMBER'],
        'flag': ['test', 'test " and " test', 'test " or " test', '"not " "(" test ")"'],
        'test': ['number COMPARE (number | NUMBER)', 'natom " % " (natom | NUMBER) EQUAL DIGIT', *names['flag']],
    }
    if names['flag']:
        rules['fvar'] = names['flag'] + unknown
        rules['test'] += ['"not " fvar', 'fvar EQUAL fvar']
    if unknown:
        rules['avar'] = unknown
        rules['thing'].append('avar')
        rules['test'] += ['"not " avar', 'avar EQUAL thing', 'avar " is None"', 'avar " is not None"']
    return rules
