def open_compound_(self, family, level, place, blocks):
    """Branches, loops and trials at a level, with `blocks` of three kinds: for branches, for loops, for handlers.

    What a `try` holds may have been left anywhere, so where its handler begins clean it changes no slot.
    """
    f, n, o = family, level, place
    branch, loop, handler = [f'{f}{kind}{n + 1}' for kind in blocks]
    tried = branch if handler != branch else f'{f}p{n + 1}'
    return [
        f'{f}if {branch}{o} (elif{n} {f}test {branch}{o}){{0,9}} (else{n} {branch}{o})?',
        f'{f}for {loop}o (else{n} {handler}{o})?', f'{f}while {loop}o', f'"try:" NEWLINE {tried}{o} except{n} {handler}{o}',
    ]
