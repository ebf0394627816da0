def open_statements_(self, facts, family):
    """Blocks of all levels that change no slot, in a loop (`o`) or not; nothing follows what ends a block."""
    f = family
    rules = {f'{f}last': [f'{f}end'], f'{f}lasto': [f'{f}end', '"break"', '"continue"']}
    for n in range(1, facts['levels'] + 1):
        for o in ['', 'o']:
            rules[f'{f}p{n}{o}'] = [f'{f}s{n}{o} {f}p{n}{o}', f'{f}s{n}{o}', f'in{n} {f}last{o} NEWLINE']
            rules[f'{f}s{n}{o}'] = [f'in{n} {f}local NEWLINE']
            if n < facts['levels']:
                rules[f'{f}s{n}{o}'].append(f'in{n} {f}c{n}{o}')
    return rules
