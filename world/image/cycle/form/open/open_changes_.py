def open_changes_(self, facts, family):
    """Blocks of all levels that may change slots, by how they begin and end: clean (`c`), changed without a signal yet (`d`).

    `cc` ends clean or leaves; `cx` ends either way; `dc` and `dx` begin after a change, where no `return` may stand before the
    signal. A loop that ends changed begins its next turn so, and so does what handles an error of a block that changes.
    """
    f = family
    rules = {}
    for n in range(1, facts['levels'] + 1):
        signal = f'in{n} "self._p_changed = True" NEWLINE'
        local = f'in{n} {f}local NEWLINE'
        change = f'in{n} {f}change NEWLINE'
        failed = f'in{n} {f}raise NEWLINE'
        for o in ['', 'o']:
            last = f'in{n} {f}last{o} NEWLINE'
            left = [f'in{n} ("break" | "continue") NEWLINE'] if o else []
            cc, cx, dc, dx = [f'{f}{kind}{n}{o}' for kind in ['cc', 'cx', 'dc', 'dx']]
            clean, changed, goes = [f'{f}{kind}{n}{o}' for kind in ['cs', 'ds', 'ks']]
            rules[cc] = [f'{clean} {cc}', clean, last, f'{changed} {dc}']
            rules[cx] = [f'{clean} {cx}', clean, last, f'{changed} {dx}', changed]
            rules[dc] = [f'{goes} {dc}', f'{signal} {cc}', signal, failed]
            rules[dx] = [f'{goes} {dx}', goes, f'{signal} {cx}', signal, failed, *left]
            rules[clean] = [local, signal]
            rules[changed] = [change]
            rules[goes] = [local, change]
            if n < facts['levels']:
                for kind in ['cs', 'ds', 'ks']:
                    rules[f'{f}{kind}{n}{o}'].append(f'in{n} {f}c{kind}{n}{o}')
    return rules
