def open_texts_(self, facts):
    """Names, targets and parameters; and texts with values in them, whose quotes and backslashes Python forbids within."""
    slots = [f'{kind}' for kind, names in [['READABLE', facts['readable']], ['WRITABLE', facts['writable']]] if names]
    pairs = [
        ['a', 'b'], ['c', 'd'], ['i', 'j'], ['k', 'l'], ['p', 'q'], ['r', 'c'], ['x', 'y'], ['m', 'n'],
        ['left', 'right'], ['row', 'col'], ['start', 'end'], ['low', 'high'],
    ]
    rules = {
        'name': ['NAME', *[f'"{name}"' for name in facts['parameters'] if name in self.open_words_()['refused']]],
        'slot': slots,
        'errors': ['ERROR', '"(" ERROR ("," " " ERROR){1,3} ")"'],
        'target': ['one ("," " " one){0,3}'],
        'one': ['name', '"(" name ("," " " name){1,2} ")"'],
        # Two parameters of one name are no Python: what may stand beside each other differs in its letters or length.
        'few': ['NAME', 'two', '"a" "," " " "b" "," " " "c"', '"x" "," " " "y" "," " " "z"'],
        'two': [
            'EARLY "," " " LATE', 'LATE "," " " EARLY', 'LETTER "," " " LONG', 'LONG "," " " LETTER',
            *[f'"{one}" "," " " "{two}"' for one, two in pairs],
        ],
        'bound': [
            'few', *[f'LONG "," " " "{one}" "," " " "{two}"' for one, two in pairs if len(one) == 1],
            *[f'LETTER "," " " "{one}" "," " " "{two}"' for one, two in pairs if len(one) > 1],
        ],
        'written': ['"f\\"" (DTEXT | "{" dshown SPEC? "}"){0,10} "\\""', '"f\'" (STEXT | "{" sshown SPEC? "}"){0,10} "\'"'],
    }
    for quotes, text in [['d', 'SPLAIN'], ['s', 'DPLAIN']]:
        q = quotes
        rules[f'{q}shown'] = [f'{q}part (OPERATOR ({q}part | NUMBER)){{0,2}}', f'{q}part " if " {q}part " else " ({q}part | {text})']
        rules[f'{q}part'] = [
            f'name {q}trail{{0,3}}', f'CALLED "(" {q}inner ("," " " ({q}inner | NUMBER)){{0,2}} ")"',
            f'"(" {q}inner ")"', *([f'slot {q}trail{{0,3}}'] if slots else []), f'{text} READ {q}inner? ")"',
        ]
        rules[f'{q}inner'] = [f'{q}leaf (OPERATOR ({q}leaf | NUMBER)){{0,2}}']
        rules[f'{q}leaf'] = [f'name {q}trail{{0,3}}', *([f'slot {q}trail{{0,3}}'] if slots else []), f'CALLED "(" name {q}trail{{0,2}} ")"']
        rules[f'{q}trail'] = [
            f'"[" {q}index (OPERATOR NUMBER)? "]"', f'"[" ({q}index (OPERATOR NUMBER)?)? ":" ({q}index (OPERATOR NUMBER)?)? "]"',
            f'READ ({q}index ("," " " {q}index)?)? ")"',
        ]
        rules[f'{q}index'] = ['name', 'NUMBER', text]
    return rules
