def text_forms_(self, facts):
    """Texts: joined, cut, shaped, formatted, counted, and tested letter by letter.

    In the first round only literals stand in them that the examples leave room for: a small model would try all others first.
    """
    names = facts['names']
    texts = names['text'] + names['any']
    word, c = facts['loops']['text'], facts['loops']['letter']
    shown = [name for kind in ['text', 'number', 'any', 'flag'] for name in names[kind]]
    literals = facts['literals']
    part, bare, mark, join = 'STRING', 'FTEXT?', 'STRING?', 'STRING'
    if facts['attempt'] == 0:
        part, bare = [part, bare] if literals['parts'] is None else ['PART', 'FPART?'] if literals['parts'] else ['', '']
        mark, join = 'MARK?' if literals['marks'] else '', 'JOIN'
    rules = {
        'text': ['tlead (" + " tpart){0,4}', 'format', 'tpart " * " nvar', *([part + ' " + " tlead (" + " tpart){0,3}'] if part else [])],
        'tpart': ['tlead', *([part] if part else [])],
        'tatom': ['STRING', 'tlead'],
        'tlead': ['"str(" number ")"'],
        'format': [f'"f" QUOTE {bare} ("{{" shown "}}" {bare}){{1,4}} QUOTE'],
        'joiner': [join],
        'shown': shown or ['NUMBER'],
        'shape_w': ['SHAPE', '"[0]"', '"[::-1]"'],
    }
    if not texts:
        return rules
    rules['tvar'] = texts
    rules['tlead'] += [
        'tvar', 'tvar SHAPE', 'tvar SHAPE SHAPE', 'tvar slice', 'tvar slice SHAPE',
        'tvar ".replace(" tatom "," " " tatom ")"', f'tvar ".split(" {mark} ")" "[" index "]"',
        'joiner ".join(" tvar ".split()" "[::-1]" ")"',
        f'joiner ".join(" "{word}" shape_w? " for " "{word}" " in " tvar ".split()" ")"',
        'joiner ".join(" letters ")"', 'joiner ".join(" "reversed(" tvar ")" ")"',
    ]
    rules['natom'] = [
        '"len(" tvar ")"', f'"len(" tvar ".split(" {mark} ")" ")"', 'tvar ".count(" tatom ")"', '"int(" tvar ")"',
        f'"sum(" "1" " for " "{c}" " in " tvar SHAPE? " if " lettertest ")"', 'tvar ".find(" tatom ")"', '"len(" "set(" tvar ")" ")"',
    ]
    rules['test'] = [
        'tatom EQUAL tatom', 'tatom IN tatom', 'tvar STARTS tatom ")"', 'tvar ISWHAT', '"not " tvar',
        f'QUANT lettertest " for " "{c}" " in " tvar ")"',
    ]
    rules['letters'] = [
        f'"{c}" LSHAPE? " for " "{c}" " in " tvar SHAPE? (" if " lettertest)?', f'word0 " for " "{word}" " in " tvar ".split()"',
    ]
    rules['word0'] = [f'"{word}" "[0]" LSHAPE?']
    rules['lettertest'] = [f'"{c}" IN STRING', f'"{c}" ISWHAT', f'"{c}" EQUAL tatom', f'"{c}" LSHAPE IN STRING']
    rules['latom'] = [
        f'tvar ".split(" {mark} ")"', '"sorted(" tvar (".split()")? ")"', '"list(" tvar ")"', '"[" letters "]"',
        'tvar ".split()" "[::-1]"', f'"[" eachw " for " "{word}" " in " tvar ".split()" (" if " wordtest)? "]"',
    ]
    rules['table'] = [f'"{{" "{c}" ":" " " tvar ".count(" "{c}" ")" " for " "{c}" " in " tvar "}}"']
    return rules
