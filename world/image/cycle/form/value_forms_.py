def value_forms_(self, facts):
    """What is returned: a value of the kind that the examples show, in the early rounds a number of all that there are."""
    names = facts['names']
    numbers = names['number']
    attempt = facts['attempt']
    several = names['texts'] + names['list'] + names['any']
    every = ['thing', 'sum', 'flag']
    if names['text'] or several:
        every.append('text')
    if names['text'] or names['numbers'] or several:
        every.append('list')
    forms = {'number': ['sum'], 'text': ['text'], 'flag': ['flag'], 'table': ['table'], 'list': ['list'], 'texts': ['list'], 'numbers': ['list']}
    plain = forms.get(facts['returned'], every)
    if attempt == 2 or facts['returned'] != 'number' or not 2 <= len(numbers) <= 3:
        value = ['plain'] if attempt == 0 else ['plain', 'plain " if " flag " else " plain']
        if attempt == 0 and facts['returned'] == 'number' and names['numbers'] + names['list'] + names['any']:
            value.append('nsvar "[" index "]"')
        return {'plain': plain, 'value': value}

    # A number comes of all the numbers that there are: first of them alone, then with constants.
    rules = {'plain': ['whole'], 'value': ['whole'] if attempt == 1 else ['plain']}
    if attempt == 0 and names['numbers'] + names['list'] + names['any']:
        rules['value'].append('nsvar "[" index "]"')
    for number, name in enumerate(numbers):
        part = [name, f'{name} " ** " DIGIT', f'{name} " * " {name}', f'"(" {name} " * " {name} ")"']
        if attempt == 1:
            part += [
                f'{name} TIMES CONSTANT', f'CONSTANT TIMES {name}', f'"(" {name} SIGN CONSTANT ")"', f'"(" CONSTANT SIGN {name} ")"',
                f'"(" CONSTANT SIGN {name} " / " CONSTANT ")"', f'"(" {name} TIMES CONSTANT ")"',
            ]
        rules[f'part{number}'] = part
    if len(numbers) == 2:
        one, other = numbers
        mix = ['part0 (SIGN | TIMES) part1', 'part1 (SIGN | TIMES) part0', f'{one} " ** " {other}', f'{other} " ** " {one}']
        if attempt == 1:
            mix += [f'{one} SIGN part0 TIMES part1', f'{other} SIGN part1 TIMES part0']
    else:
        mix = []
        for a, b in [[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]]:
            c = 3 - a - b
            mix += [
                f'part{a} (SIGN | TIMES) part{b} (SIGN | TIMES) part{c}', f'part{a} TIMES "(" part{b} (SIGN | TIMES) part{c} ")"',
                f'"(" part{a} (SIGN | TIMES) part{b} ")" TIMES part{c}',
            ]
    rules['mix'] = mix
    rules['whole'] = ['mix', 'MATH mix ")"', '"abs(" mix ")"', '"(" mix ")" " ** " "0.5"', '"round(" mix ("," " " DIGIT)? ")"']
    if attempt == 1:
        rules['whole'] += [
            'mix TIMES CONSTANT', 'mix SIGN CONSTANT', '"(" mix ")" (TIMES | " ** ") CONSTANT', 'CONSTANT TIMES "(" mix ")"',
            '"max(" mix "," " " NUMBER ")"',
        ]
    return rules
