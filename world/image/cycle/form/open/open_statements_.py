def open_statements_(self, facts, family, level, place):
    """Blocks of a level that change no slot, in a loop (`place` is `o`) or not; nothing follows what ends a block."""
    f, n, o = family, level, place
    rules = {
        f'{f}p{n}{o}': [f'{f}s{n}{o} {f}p{n}{o}', f'{f}s{n}{o}', f'in{n} {f}last{o} NEWLINE'],
        f'{f}s{n}{o}': [f'in{n} {f}local NEWLINE'],
        f'{f}last{o}': [f'{f}end', '"break"', '"continue"'] if o else [f'{f}end'],
    }
    if level < facts['levels']:
        rules[f'{f}s{n}{o}'].append(f'in{n} {f}c{n}{o}')
        rules[f'{f}c{n}{o}'] = self.open_compound_(family, level, place, ['p', 'p', 'p'])
    return rules
