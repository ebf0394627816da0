def open_values_(self, facts, family):
    """What stands in brackets: arguments, indices, tuples, lists, sets, dicts, comprehensions, one set for each depth."""
    rules = {}
    f = family
    for d in range(1, facts['depth'] + 1):
        test, cond, each = f'{f}test{d}', f'{f}cond{d}', f'{f}each{d}'
        item = f'({test} | "*" {f}thing{d})'
        rules[f'{f}arg{d}'] = [test, '"self"'] if facts['others'] else [test]
        # A send to self begins with one lexeme, because `self` and a dot are the beginning of a slot.
        rules[f'{f}send{d}'] = []
        rules[f'{f}own{d}'] = []
        for count in facts['sends']:
            more = f' (COMMA {f}arg{d}){{0,{count - 1}}}' if count > 1 else ''
            given = f'({f}arg{d}{more} (COMMA KEY{count} {test})? | KEY{count} {test})?' if count else ''
            rules[f'{f}send{d}'].append(f'SEND{count} {given} ")"')
            rules[f'{f}own{d}'].append(f'OWN{count} {given} ")"')
        rules[f'{f}args{d}'] = [
            '""', f'{test} {each}', f'{item} (COMMA {item}){{0,9}} (COMMA {f}named{d})? TRAILING?', f'{f}named{d}',
        ]
        rules[f'{f}named{d}'] = [
            f'"key=" {test} (COMMA ("reverse=" | "default=") {cond})?', f'"reverse=" {cond} (COMMA "key=" {test})?',
            f'"default=" {cond} (COMMA "key=" {test})?', f'("start=" | "sep=" | "maxsplit=") {cond}',
        ]
        rules[each] = [f'(" for " target " in " {f}either{d} (" if " {f}either{d}){{0,2}}){{1,2}}']
        rules[f'{f}index{d}'] = [cond, f'{cond} COMMA {cond}', f'{cond}? ":" {cond}? (":" {cond}?)?']
        pair = f'({cond} COLON {test} | "**" {f}thing{d})'
        rules[f'{f}shown{d}'] = [
            'OPEN CLOSE', f'OPEN {test} CLOSE', f'OPEN {item} TRAILING CLOSE', f'OPEN {item} (COMMA {item}){{1,11}} TRAILING? CLOSE',
            f'OPEN {test} {each} CLOSE',
            'OPENS CLOSES', f'OPENS {item} (COMMA {item}){{0,39}} TRAILING? CLOSES', f'OPENS {test} {each} CLOSES',
            '"{}"', f'OPENC {test} (COMMA {test}){{0,39}} TRAILING? CLOSEC', f'OPENC {test} {each} CLOSEC',
            f'OPENC {pair} (COMMA {pair}){{0,39}} TRAILING? CLOSEC', f'OPENC {cond} COLON {test} {each} CLOSEC',
        ]
    return rules
