def text_forms_(self, facts):
    """Texts: joined, cut, shaped, formatted, counted, and tested letter by letter."""
    names = facts['names']
    texts = names['text'] + names['any']
    word, c = facts['loops']['text'], facts['loops']['letter']
    shown = [name for kind in ['text', 'number', 'any', 'flag'] for name in names[kind]]
    rules = {
        'text': ['tlead (" + " tatom){0,4}', 'STRING " + " tlead (" + " tatom){0,3}', 'format', 'tatom " * " nvar'],
        'tatom': ['STRING', 'tlead'],
        'tlead': ['"str(" number ")"'],
        'format': ['"f" QUOTE FTEXT? ("{" shown "}" FTEXT?){1,4} QUOTE'],
        'shown': shown or ['NUMBER'],
        'shape_w': ['SHAPE', '"[0]"', '"[::-1]"'],
    }
    if not texts:
        return rules
    rules['tvar'] = texts
    rules['tlead'] += [
        'tvar', 'tvar SHAPE', 'tvar SHAPE SHAPE', 'tvar slice', 'tvar slice SHAPE',
        'tvar ".replace(" tatom "," " " tatom ")"', 'tvar ".split(" STRING? ")" "[" index "]"',
        'STRING ".join(" tvar ".split()" "[::-1]" ")"',
        f'STRING ".join(" "{word}" shape_w? " for " "{word}" " in " tvar ".split()" ")"',
        'STRING ".join(" letters ")"', 'STRING ".join(" "reversed(" tvar ")" ")"',
    ]
    rules['natom'] = [
        '"len(" tvar ")"', '"len(" tvar ".split(" STRING? ")" ")"', 'tvar ".count(" tatom ")"', '"int(" tvar ")"',
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
        'tvar ".split(" STRING? ")"', '"sorted(" tvar (".split()")? ")"', '"list(" tvar ")"', '"[" letters "]"',
        'tvar ".split()" "[::-1]"', f'"[" eachw " for " "{word}" " in " tvar ".split()" (" if " wordtest)? "]"',
    ]
    rules['table'] = [f'"{{" "{c}" ":" " " tvar ".count(" "{c}" ")" " for " "{c}" " in " tvar "}}"']
    return rules
