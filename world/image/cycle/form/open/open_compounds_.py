def open_compounds_(self, facts, family):
    """Branches, loops and trials of all levels: those that change no slot (`c`), and by what their blocks may change.

    Each kind has the blocks of its branches, of its loops, and of its handlers. What a `try` holds may have been left anywhere,
    so where its handler begins clean it changes no slot.
    """
    f = family
    kinds = {'c': ['p', 'p', 'p']}
    if facts['writable']:
        kinds.update({'ccs': ['cc', 'cc', 'cc'], 'cds': ['cx', 'dx', 'dx'], 'cks': ['dx', 'dx', 'dx']})
    rules = {}
    for n in range(1, facts['levels']):
        for kind, blocks in kinds.items():
            branch, loop, handler = [f'{f}{block}{n + 1}' for block in blocks]
            tried = branch if handler != branch else f'{f}p{n + 1}'
            for o in ['', 'o']:
                rules[f'{f}{kind}{n}{o}'] = [
                    f'{f}if {branch}{o} (elif{n} {f}test {branch}{o}){{0,24}} (else{n} {branch}{o})?',
                    f'{f}for {loop}o (else{n} {handler}{o})?', f'{f}while {loop}o', f'"try:" NEWLINE {tried}{o} except{n} {handler}{o}',
                ]
    return rules
