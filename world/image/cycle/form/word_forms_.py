def word_forms_(self, facts):
    """Lists of texts: joined, chosen from, counted, and tested word by word."""
    names = facts['names']
    several = names['texts'] + names['list'] + names['any']
    word = facts['loops']['text']
    rules = {}
    if several:
        rules['tsvar'] = several
        rules['tlead'] = [
            'PICK tsvar "," " key=len" ")"', 'FIRST tsvar ")"', 'tsvar "[" index "]"', '(joiner | shown) ".join(" tsvar ")"',
            f'joiner ".join(" eachw " for " "{word}" " in " tsvar (" if " wordtest)? ")"', '"sorted(" tsvar SORTED? ")" "[" index "]"',
            'joiner ".join(" "sorted(" tsvar ")" ")"', 'joiner ".join(" tsvar "[::-1]" ")"',
        ]
        rules['natom'] = [
            f'SUMS "len(" "{word}" ")" " for " "{word}" " in " tsvar ")"', f'"sum(" "1" " for " "{word}" " in " tsvar " if " wordtest ")"',
        ]
        rules['latom'] = [
            f'"[" eachw " for " "{word}" " in " tsvar (" if " wordtest)? "]"', f'"[" "len(" "{word}" ")" " for " "{word}" " in " tsvar "]"',
        ]
        rules['test'] = [f'QUANT wordtest " for " "{word}" " in " tsvar ")"']
        rules['table'] = [f'"{{" "{word}" ":" " " "len(" "{word}" ")" " for " "{word}" " in " tsvar "}}"']
    if several or names['text']:
        rules['eachw'] = [f'"{word}"', f'"{word}" shape_w', f'"{word}" " + " tatom', f'tatom " + " "{word}"', f'"len(" "{word}" ")"']
        rules['wordtest'] = [
            f'"len(" "{word}" ")" COMPARE nvar', f'"len(" "{word}" ")" COMPARE DIGIT', f'"{word}" STARTS tatom ")"',
            f'tatom IN "{word}"', f'"{word}" EQUAL tatom', f'"{word}" ISWHAT', f'"{word}" EQUAL "{word}" "[::-1]"',
        ]
    return rules
