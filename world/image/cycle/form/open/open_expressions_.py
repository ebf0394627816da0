def open_expressions_(self, facts, family):
    """Expressions of the open form, one set of rules for each depth of brackets; in the family `g` a local can be called.

    A chain of operators is flat, because its order is no matter of what may be written. Chains and brackets are bounded,
    since a small model that has begun to repeat itself ends nowhere.
    """
    rules = {}
    last = facts['depth']
    f = family
    for d in range(last + 1):
        most = max(20 - 2 * d, 8)
        trails = 5 if d == 0 else 3
        inner = d + 1
        rules[f'{f}test{d}'] = [f'{f}cond{d}', f'"lambda " few ": " {f}cond{d}', f'"lambda: " {f}cond{d}']
        rules[f'{f}cond{d}'] = [f'{f}either{d}', f'{f}either{d} " if " {f}either{d} " else " {f}other{d}']
        rules[f'{f}other{d}'] = [f'{f}either{d}', f'{f}either{d} " if " {f}either{d} " else " {f}either{d}']
        rules[f'{f}either{d}'] = [f'"not "? {f}part{d} (OPERATOR {f}part{d}){{0,{most}}}']
        rules[f'{f}part{d}'] = ['LITERAL', f'"-"? {f}thing{d}']
        rules[f'{f}thing{d}'] = [f'{f}atom{d} {f}trail{d}{{0,{trails}}}']
        rules[f'{f}atom{d}'] = ['name', 'TEXTS', 'written']
        rules[f'{f}trail{d}'] = []
        rules[f'{f}view{d}'] = []
        if facts['readable'] or facts['writable']:
            rules[f'{f}thing{d}'].append(f'slot {f}view{d}{{0,{trails}}}')
        if d == last:
            rules[f'{f}view{d}'] = ['READ ")"', '"[" (name | LITERAL | TEXTS) "]"']
            rules[f'{f}trail{d}'] = [*rules[f'{f}view{d}'], 'CHANGE ")"']
            continue
        both = [f'READ {f}args{inner} ")"', f'OPENS {f}index{inner} "]"']
        rules[f'{f}view{d}'] += [*both, f'{f}send{inner}']
        rules[f'{f}trail{d}'] += [*both, f'{f}send{inner}', f'CHANGE {f}args{inner} ")"']
        rules[f'{f}atom{d}'] += [f'{f}own{inner}', f'CALLED OPEN {f}args{inner} CLOSE']
        rules[f'{f}atom{d}'] += [f'FORMAT ".format(" {f}args{inner} ")"', f'{f}shown{inner}']
        if f == 'g':
            rules[f'{f}atom{d}'].append(f'NAME OPEN {f}args{inner} CLOSE')
    return rules
