def open_compound_(self, family, level, place, branch, loop, handler):
    """Branches, loops and trials at a level, with blocks of the given kinds; a try's own block changes no slot but in doubt."""
    f, n, o = family, level, place
    here = '"' + '    ' * level + '"'
    tail = f'({here} "elif " {f}cond0 ":" NEWLINE {branch}{o}){{0,9}} ({here} "else:" NEWLINE {branch}{o})?'
    tried = branch if handler != branch else f'{f}p{n + 1}'
    except_ = f'{here} "except" (" " errors (" as " NAME)?)? ":" NEWLINE {handler}{o}'
    return [
        f'"if " {f}cond0 ":" NEWLINE {branch}{o} {tail}',
        f'"for " target " in " {f}cond0 ":" NEWLINE {loop}o ({here} "else:" NEWLINE {handler}{o})?',
        f'"while " {f}cond0 ":" NEWLINE {loop}o',
        f'"try:" NEWLINE {tried}{o} {except_}',
    ]
