def open_changes_(self, facts, family, level, place):
    """Blocks of a level that may change slots, by how they begin and end: clean (`c`), changed without a signal yet (`d`).

    `cc` ends clean or leaves; `cx` ends either way; `dc` and `dx` begin after a change, where no `return` may stand before the
    signal. A loop that ends changed begins its next turn so, and so does what handles an error of a block that changes.
    """
    f, n, o = family, level, place
    signal = f'in{n} "self._p_changed = True" NEWLINE'
    local = f'in{n} {f}local NEWLINE'
    change = f'in{n} {f}change NEWLINE'
    last = f'in{n} {f}last{o} NEWLINE'
    failed = f'in{n} {f}raise NEWLINE'
    left = [f'in{n} ("break" | "continue") NEWLINE'] if o else []
    cc, cx, dc, dx = [f'{f}{kind}{n}{o}' for kind in ['cc', 'cx', 'dc', 'dx']]
    clean, changed, goes = [f'{f}{kind}{n}{o}' for kind in ['cs', 'ds', 'ks']]
    rules = {
        cc: [f'{clean} {cc}', clean, last, f'{changed} {dc}'],
        cx: [f'{clean} {cx}', clean, last, f'{changed} {dx}', changed],
        dc: [f'{goes} {dc}', f'{signal} {cc}', signal, failed],
        dx: [f'{goes} {dx}', goes, f'{signal} {cx}', signal, failed, *left],
        clean: [local, signal],
        changed: [change],
        goes: [local, change],
    }
    if level < facts['levels']:
        kinds = {'cs': ['cc', 'cc', 'cc'], 'ds': ['cx', 'dx', 'dx'], 'ks': ['dx', 'dx', 'dx']}
        for kind, blocks in kinds.items():
            compound = f'{f}c{kind}{n}{o}'
            rules[compound] = self.open_compound_(family, level, place, blocks)
            rules[f'{f}{kind}{n}{o}'].append(f'in{n} {compound}')
    return rules
