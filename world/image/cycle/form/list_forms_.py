def list_forms_(self, facts):
    """Lists: made, sorted, cut and filtered; what is counted and chosen of them; and of numbers what is summed."""
    names = facts['names']
    lists = names['list'] + names['texts'] + names['numbers'] + names['any']
    numbers = names['numbers'] + names['list'] + names['any']
    n, item, i = facts['loops']['number'], facts['loops']['item'], facts['loops']['index']
    several = '"range(" number ("," " " number)? ")"'
    rules = {
        'slice': ['"[::-1]"', '"[" index "]"', '"[:" bound "]"', '"[" bound ":]"'],
        'bound': ['NUMBER', '"-" DIGIT', *names['number']],
        'index': ['"0"', '"-1"', *names['number']] if facts['attempt'] == 0 else ['DIGIT', '"-1"', '"-2"', *names['number']],
        'kept': [f'"{name}"' for name in facts['kinds']] or ['NUMBER'],
        'list': ['latom', 'latom " + " latom'],
        'latom': ['"[]"', '"[" kept ("," " " kept){0,3} "]"', f'"list(" {several} ")"', f'"[" eachi " for " "{i}" " in " {several} "]"'],
        'eachi': [f'"{i}"', f'"{i}" TIMES nvar', f'"{i}" " ** " NUMBER', f'"{i}" SIGN nvar', f'"{i}" TIMES NUMBER'],
        'natom': [], 'test': [], 'thing': [], 'table': [],
    }
    if lists:
        rules['lvar'] = lists
        rules['latom'] += [
            'lvar', 'lvar "[::-1]"', 'lvar "[:" bound "]"', 'lvar "[" bound ":]"', '"sorted(" lvar SORTED? ")"',
            '"sorted(" "set(" lvar ")" SORTED? ")"', '"list(" "set(" lvar ")" ")"', '"list(" "reversed(" lvar ")" ")"',
            f'"[" "{item}" " for " "{item}" " in " lvar " if " itemtest "]"',
        ]
        rules['itemtest'] = [f'"{item}" EQUAL thing', f'"{item}" IN lvar', f'lvar ".count(" "{item}" ")" COMPARE DIGIT']
        rules['natom'] += [
            '"len(" lvar ")"', 'lvar ".count(" thing ")"', 'lvar ".index(" thing ")"', '"len(" "set(" lvar ")" ")"',
            f'"sum(" "1" " for " "{item}" " in " lvar " if " itemtest ")"',
        ]
        rules['test'] += ['thing IN lvar', '"not " lvar', 'list EQUAL list', '"len(" lvar ")" COMPARE "len(" "set(" lvar ")" ")"']
        rules['thing'] += ['lvar "[" index "]"', 'lvar "[" middle "]"']
        rules['middle'] = ['"len(" lvar ")" " // 2"', '"len(" lvar ")" " - " DIGIT']
        rules['table'] += [
            f'"{{" "{item}" ":" " " lvar ".count(" "{item}" ")" " for " "{item}" " in " lvar "}}"', '"dict(" "zip(" lvar "," " " lvar ")" ")"',
        ]
    if numbers:
        rules['nsvar'] = numbers
        rules['natom'] += [
            'FOLD nsvar ")"', *([] if facts['attempt'] == 0 else ['nsvar "[" index "]"']), '"sorted(" nsvar SORTED? ")" "[" (index | middle) "]"',
            f'SUMS eachn " for " "{n}" " in " nsvar (" if " numbertest)? ")"', '"math.prod(" nsvar ")"',
            f'"sum(" "1" " for " "{n}" " in " nsvar " if " numbertest ")"',
        ]
        rules['eachn'] = [
            f'"{n}"', f'"{n}" TIMES nvar', f'"{n}" " ** " NUMBER', f'"{n}" SIGN nvar', f'"{n}" TIMES NUMBER',
            f'"{n}" SIGN NUMBER', f'"abs(" "{n}" ")"', f'"{n}" " * " "{n}"', f'"{n}" TIMES "max(" nsvar ")"',
        ]
        rules['numbertest'] = [
            f'"{n}" COMPARE nvar', f'"{n}" COMPARE NUMBER', f'"{n}" " % " NUMBER EQUAL DIGIT', f'"{n}" " % " nvar EQUAL DIGIT',
        ]
        rules['latom'].append(f'"[" eachn " for " "{n}" " in " nsvar (" if " numbertest)? "]"')
        rules['test'].append(f'QUANT numbertest " for " "{n}" " in " nsvar ")"')
    return rules
