def candidate_grammar_(self, message, round=0):
    """The form of a method that answers `message`, in llguidance's Lark dialect.

    The `def` line is fixed. What may follow is Python over the object's slots and the parameters, typed as the slots,
    arguments and examples show: numbers are computed, texts are joined, lists are sorted, counted and filtered. A method
    whose examples change slots changes just those and then signals; one whose examples change none only returns.
    No lexeme is a beginning of a sequence of others, because the lexer takes the longest.
    """
    examples = message['examples']

    # What is known of every variable: the values that it has been seen with.
    seen = {}
    for name in message['slots']:
        seen['self.' + name] = [message['slots'][name]]
    for example in examples:
        for slots in [example.get('slots', {}), example.get('slots_after', {})]:
            for name in slots:
                seen.setdefault('self.' + name, []).append(slots[name])
    for number, name in enumerate(message['parameters']):
        seen[name] = []
        for call in [message, *examples]:
            if number < len(call.get('args', [])):
                seen[name].append(call['args'][number])
            elif name in call.get('kwargs', {}):
                seen[name].append(call['kwargs'][name])
    outcomes = [example['returns'] for example in examples if 'returns' in example]
    seen['return'] = outcomes
    changed = []
    for example in examples:
        before = dict(message['slots'])
        before.update(example.get('slots', {}))
        after = example.get('slots_after', {})
        changed += [name for name in after if name not in changed and (name not in before or before[name] != after[name])]

    # A literal that quotes an example is no method. Small numbers and the usual constants stay.
    quoted = []
    quotes = []
    for values in seen.values():
        for value in values:
            if isinstance(value, str) and value and value.isalnum() and value.isascii():
                quotes.append(value)
            elif isinstance(value, (int, float)) and 12 < value < 10000 and value not in [24, 60, 100, 180, 360, 365, 1000]:
                quoted.append(str(value))

    kinds = {}
    for name in seen:
        kind = ''
        for value in seen[name]:
            if isinstance(value, bool):
                one = 'flag'
            elif isinstance(value, int) or isinstance(value, float):
                one = 'number'
            elif isinstance(value, str):
                one = 'text'
            elif isinstance(value, list):
                one = 'list'
                if value and all(isinstance(item, str) for item in value):
                    one = 'texts'
                elif value and all(isinstance(item, (int, float)) for item in value):
                    one = 'numbers'
            elif isinstance(value, dict):
                one = 'table'
            else:
                one = 'any'
            lists = ['list', 'texts', 'numbers']
            if not kind or (kind == 'list' and one in lists and len(seen[name]) > 0 and [] in seen[name]):
                kind = one
            elif one != kind and not (one == 'list' and value == [] and kind in lists):
                kind = 'list' if kind in lists and one in lists else 'any'
        kinds[name] = kind or 'any'
    returned = kinds.pop('return')

    names = {}
    for kind in ['number', 'text', 'flag', 'list', 'texts', 'numbers', 'table', 'any']:
        names[kind] = [f'"{name}"' for name in kinds if kinds[name] == kind]
    unknown = names['any']
    lists = names['list'] + names['texts'] + names['numbers'] + unknown
    texts = names['text'] + unknown
    tables = names['table'] + unknown
    texts_in = names['texts'] + names['list'] + unknown
    numbers_in = names['numbers'] + names['list'] + unknown
    loops = {}
    for each, choices in [['number', ['n', 'value', 'x1']], ['text', ['word', 'w', 'x2']], ['letter', ['c', 'letter', 'x3']],
                          ['item', ['item', 'x', 'x4']], ['key', ['k', 'key', 'x5']], ['entry', ['v', 'entry', 'x6']],
                          ['index', ['i', 'index', 'x7']], ['local', ['result', 'answer', 'x8']]]:
        loops[each] = [choice for choice in choices if choice not in message['parameters']][0]
    n, word, c, item = loops['number'], loops['text'], loops['letter'], loops['item']
    k, v, i, result = loops['key'], loops['entry'], loops['index'], loops['local']

    # Where the variables alone may do, literals wait for the second round: there they would only crowd out the answer.
    numbers = names['number']
    pure = round == 0 and (len(numbers) > 1 or len(kinds) > len(numbers))
    rules = {
        'number': ['term (SIGN term){0,2}'],
        'term': ['factor (TIMES factor){0,2}'],
        'factor': ['natom', 'natom " ** " power', '"(" number ")"', '"(" number ")" " ** " power'] + ([] if pure else ['NUMBER']),
        'power': ['DIGIT', '"0.5"', *names['number']],
        'sum': ['nlead (TIMES factor){0,2} (SIGN term){0,2}', 'NUMBER (SIGN | TIMES) nlead ((SIGN | TIMES) factor){0,2}'],
        'nlead': ['natom', 'natom " ** " power', '"(" number ")" TIMES factor', '"(" number ")" " ** " power'],
        'natom': (['nvar'] if names['number'] or unknown else []) + [ '"abs(" number ")"', '"round(" number ("," " " DIGIT)? ")"', '"int(" number ")"',
            '"max(" number "," " " (number | NUMBER) ")"', '"min(" number "," " " (number | NUMBER) ")"', 'MATH number ")"', '"math.pi"',
        ],
        'nvar': names['number'] + unknown,
        'thing': ['number', 'NUMBER'],
        'flag': ['test', 'test " and " test', 'test " or " test', '"not " "(" test ")"'],
        'test': ['number COMPARE (number | NUMBER)', 'natom " % " (natom | NUMBER) EQUAL DIGIT', *names['flag']],
        'value': [],
    }
    if not rules['nvar']:
        rules['nvar'] = ['NUMBER']
    if names['flag']:
        rules['test'].append('"not " fvar')
        rules['fvar'] = names['flag'] + unknown
        rules['test'].append('fvar EQUAL fvar')
    if unknown:
        rules['avar'] = unknown
        rules['thing'].append('avar')
        rules['test'] += ['"not " avar', 'avar EQUAL thing', 'avar " is None"', 'avar " is not None"']

    # Texts.
    rules['text'] = ['tlead (" + " tatom){0,4}', 'STRING " + " tlead (" + " tatom){0,3}', 'format', 'tatom " * " nvar']
    rules['tatom'] = ['STRING', 'tlead']
    rules['tlead'] = ['"str(" number ")"']
    rules['format'] = ['"f" QUOTE FTEXT? ("{" shown "}" FTEXT?){1,4} QUOTE']
    rules['shown'] = [name for kind in ['text', 'number', 'any', 'flag'] for name in names[kind]] or ['NUMBER']
    if texts:
        rules['tvar'] = texts
        rules['tlead'] += ['tvar', 'tvar SHAPE', 'tvar SHAPE SHAPE', 'tvar slice', 'tvar slice SHAPE',
                           'tvar ".replace(" tatom "," " " tatom ")"', 'tvar ".split(" STRING? ")" "[" index "]"',
                           f'STRING ".join(" tvar ".split()" "[::-1]" ")"',
                           f'STRING ".join(" "{word}" shape_w? " for " "{word}" " in " tvar ".split()" ")"',
                           f'STRING ".join(" letters ")"', f'STRING ".join(" "reversed(" tvar ")" ")"']
        rules['natom'] += ['"len(" tvar ")"', '"len(" tvar ".split(" STRING? ")" ")"', 'tvar ".count(" tatom ")"', '"int(" tvar ")"',
                           f'"sum(" "1" " for " "{c}" " in " tvar SHAPE? " if " lettertest ")"',
                           'tvar ".find(" tatom ")"', '"len(" "set(" tvar ")" ")"']
        rules['test'] += ['tatom EQUAL tatom', 'tatom IN tatom', 'tvar STARTS tatom ")"', 'tvar ISWHAT', '"not " tvar',
                          f'QUANT lettertest " for " "{c}" " in " tvar ")"']
        rules['letters'] = [f'"{c}" LSHAPE? " for " "{c}" " in " tvar SHAPE? (" if " lettertest)?',
                            f'word0 " for " "{word}" " in " tvar ".split()"']
        rules['word0'] = [f'"{word}" "[0]" LSHAPE?']
        rules['lettertest'] = [f'"{c}" IN STRING', f'"{c}" ISWHAT', f'"{c}" EQUAL tatom', f'"{c}" LSHAPE IN STRING']
    rules['shape_w'] = ['SHAPE', '"[0]"', '"[::-1]"']
    rules['slice'] = ['"[::-1]"', '"[" index "]"', '"[:" bound "]"', '"[" bound ":]"']
    rules['bound'] = ['NUMBER', '"-" DIGIT', *names['number']]
    rules['index'] = ['"0"', '"-1"', *names['number']] if round == 0 else ['DIGIT', '"-1"', '"-2"', *names['number']]

    # Lists, and what is counted, summed and chosen from them.
    rules['kept'] = [f'"{name}"' for name in kinds] or ['NUMBER']
    rules['list'] = ['latom', 'latom " + " latom']
    rules['latom'] = ['"[]"', '"[" kept ("," " " kept){0,3} "]"', '"list(" "range(" number ("," " " number)? ")" ")"',
                      f'"[" eachi " for " "{i}" " in " "range(" number ("," " " number)? ")" "]"']
    rules['eachi'] = [f'"{i}"', f'"{i}" TIMES nvar', f'"{i}" " ** " NUMBER', f'"{i}" SIGN nvar', f'"{i}" TIMES NUMBER']
    rules['natom'].append(f'SUMS eachi " for " "{i}" " in " "range(" number ("," " " number)? ")" ")"')
    rules['natom'].append('"math.prod(" "range(" number ("," " " number)? ")" ")"')
    if texts:
        rules['latom'] += ['tvar ".split(" STRING? ")"', '"sorted(" tvar (".split()")? ")"', '"list(" tvar ")"',
                           '"[" letters "]"', 'tvar ".split()" "[::-1]"',
                           f'"[" eachw " for " "{word}" " in " tvar ".split()" (" if " wordtest)? "]"']
    if lists:
        rules['lvar'] = lists
        rules['latom'] += ['lvar', 'lvar "[::-1]"', 'lvar "[:" bound "]"', 'lvar "[" bound ":]"',
                           '"sorted(" lvar SORTED? ")"', '"sorted(" "set(" lvar ")" SORTED? ")"', '"list(" "set(" lvar ")" ")"',
                           '"list(" "reversed(" lvar ")" ")"',
                           f'"[" "{item}" " for " "{item}" " in " lvar " if " itemtest "]"']
        rules['itemtest'] = [f'"{item}" EQUAL thing', f'"{item}" IN lvar', f'lvar ".count(" "{item}" ")" COMPARE DIGIT']
        rules['natom'] += ['"len(" lvar ")"', 'lvar ".count(" thing ")"', 'lvar ".index(" thing ")"', '"len(" "set(" lvar ")" ")"',
                           f'"sum(" "1" " for " "{item}" " in " lvar " if " itemtest ")"']
        rules['test'] += ['thing IN lvar', '"not " lvar', 'list EQUAL list', '"len(" lvar ")" COMPARE "len(" "set(" lvar ")" ")"']
        rules['thing'] += ['lvar "[" index "]"', 'lvar "[" middle "]"']
        rules['middle'] = ['"len(" lvar ")" " // 2"', '"len(" lvar ")" " - " DIGIT']
    if numbers_in:
        rules['nsvar'] = numbers_in
        rules['natom'] += ['FOLD nsvar ")"', *([] if round == 0 else ['nsvar "[" index "]"']), '"sorted(" nsvar SORTED? ")" "[" (index | middle) "]"',
                           f'SUMS eachn " for " "{n}" " in " nsvar (" if " numbertest)? ")"', '"math.prod(" nsvar ")"',
                           f'"sum(" "1" " for " "{n}" " in " nsvar " if " numbertest ")"']
        rules['eachn'] = [f'"{n}"', f'"{n}" TIMES nvar', f'"{n}" " ** " NUMBER', f'"{n}" SIGN nvar', f'"{n}" TIMES NUMBER',
                          f'"{n}" SIGN NUMBER', f'"abs(" "{n}" ")"', f'"{n}" " * " "{n}"', f'"{n}" TIMES "max(" nsvar ")"']
        rules['numbertest'] = [f'"{n}" COMPARE nvar', f'"{n}" COMPARE NUMBER', f'"{n}" " % " NUMBER EQUAL DIGIT',
                               f'"{n}" " % " nvar EQUAL DIGIT']
        rules['latom'].append(f'"[" eachn " for " "{n}" " in " nsvar (" if " numbertest)? "]"')
        rules['test'].append(f'QUANT numbertest " for " "{n}" " in " nsvar ")"')
    if texts_in:
        rules['tsvar'] = texts_in
        rules['tlead'] += ['PICK tsvar "," " key=len" ")"', 'FIRST tsvar ")"', 'tsvar "[" index "]"', '(STRING | shown) ".join(" tsvar ")"',
                           f'STRING ".join(" eachw " for " "{word}" " in " tsvar (" if " wordtest)? ")"',
                           '"sorted(" tsvar SORTED? ")" "[" index "]"', 'STRING ".join(" "sorted(" tsvar ")" ")"',
                           'STRING ".join(" tsvar "[::-1]" ")"']
        rules['natom'] += [f'SUMS "len(" "{word}" ")" " for " "{word}" " in " tsvar ")"',
                           f'"sum(" "1" " for " "{word}" " in " tsvar " if " wordtest ")"']
        rules['latom'].append(f'"[" eachw " for " "{word}" " in " tsvar (" if " wordtest)? "]"')
        rules['latom'].append(f'"[" "len(" "{word}" ")" " for " "{word}" " in " tsvar "]"')
        rules['test'].append(f'QUANT wordtest " for " "{word}" " in " tsvar ")"')
    if texts or texts_in:
        rules['eachw'] = [f'"{word}"', f'"{word}" shape_w', f'"{word}" " + " tatom', f'tatom " + " "{word}"', f'"len(" "{word}" ")"']
        rules['wordtest'] = [f'"len(" "{word}" ")" COMPARE nvar', f'"len(" "{word}" ")" COMPARE DIGIT', f'"{word}" STARTS tatom ")"',
                             f'tatom IN "{word}"', f'"{word}" EQUAL tatom', f'"{word}" ISWHAT', f'"{word}" EQUAL "{word}" "[::-1]"']

    # Tables.
    rules['table'] = ['"{}"']
    if tables:
        rules['dvar'] = tables
        rules['entry'] = ['dvar "[" thing "]"', 'dvar ".get(" thing ("," " " thing)? ")"']
        rules['natom'] += ['"len(" dvar ")"', 'FOLD dvar ".values()" ")"', 'entry']
        rules['tlead'] += ['entry', 'PICK dvar "," " key=" dvar ".get" ")"', 'FIRST dvar ")"']
        rules['test'] += ['thing IN dvar', '"not " dvar', 'thing IN dvar ".values()"']
        rules['latom'] += ['"list(" dvar VIEW ")"', '"sorted(" dvar VIEW? ")"',
                           f'"[" "{k}" " for " "{k}" "," " " "{v}" " in " dvar ".items()" " if " entrytest "]"']
        rules['entrytest'] = [f'"{v}" COMPARE natom', f'"{v}" EQUAL thing', f'"{k}" EQUAL thing']
        rules['thing'].append('entry')
        rules['table'] += ['dvar', '"dict(" dvar ")"', f'"{{" pair " for " "{k}" "," " " "{v}" " in " dvar ".items()" (" if " entrytest)? "}}"']
        rules['pair'] = [f'"{v}" ":" " " "{k}"', f'"{k}" ":" " " "{v}" (TIMES natom)?']
    if lists:
        rules['table'] += [f'"{{" "{item}" ":" " " lvar ".count(" "{item}" ")" " for " "{item}" " in " lvar "}}"',
                           '"dict(" "zip(" lvar "," " " lvar ")" ")"']
    if texts_in:
        rules['table'].append(f'"{{" "{word}" ":" " " "len(" "{word}" ")" " for " "{word}" " in " tsvar "}}"')
    if texts:
        rules['table'].append(f'"{{" "{c}" ":" " " tvar ".count(" "{c}" ")" " for " "{c}" " in " tvar "}}"')
    if texts or texts_in or tables or unknown:
        rules['thing'].append('text')

    # What is returned.
    forms = {'number': ['sum'], 'text': ['text'], 'flag': ['flag'], 'table': ['table']}
    forms['list'] = forms['texts'] = forms['numbers'] = ['list']
    every = ['thing', 'sum', 'flag']
    if texts or texts_in:
        every.append('text')
    if lists or texts:
        every.append('list')
    rules['plain'] = forms.get(returned, every)
    rules['value'] = ['plain', 'plain " if " flag " else " plain']
    if round < 2 and returned == 'number' and 2 <= len(numbers) <= 3:
        # A number comes of all the numbers that there are: first of them alone, then with constants.
        for number, name in enumerate(numbers):
            rules[f'part{number}'] = [name, f'{name} " ** " DIGIT', f'{name} " * " {name}', f'"(" {name} " * " {name} ")"']
            if round == 1:
                rules[f'part{number}'] += [
                    f'{name} TIMES CONSTANT', f'CONSTANT TIMES {name}', f'"(" {name} SIGN CONSTANT ")"', f'"(" CONSTANT SIGN {name} ")"',
                    f'"(" CONSTANT SIGN {name} " / " CONSTANT ")"', f'"(" {name} TIMES CONSTANT ")"',
                ]
        if len(numbers) == 2:
            rules['mix'] = ['part0 (SIGN | TIMES) part1', 'part1 (SIGN | TIMES) part0', f'{numbers[0]} " ** " {numbers[1]}',
                            f'{numbers[1]} " ** " {numbers[0]}']
            if round == 1:
                rules['mix'] += [f'{numbers[0]} SIGN part0 TIMES part1', f'{numbers[1]} SIGN part1 TIMES part0']
        else:
            rules['mix'] = [
                f'part{a} (SIGN | TIMES) part{b} (SIGN | TIMES) part{3 - a - b}' for a in range(3) for b in range(3) if a != b
            ]
            rules['mix'] += [
                f'part{a} TIMES "(" part{b} (SIGN | TIMES) part{3 - a - b} ")"' for a in range(3) for b in range(3) if a != b
            ]
            rules['mix'] += [
                f'"(" part{a} (SIGN | TIMES) part{b} ")" TIMES part{3 - a - b}' for a in range(3) for b in range(3) if a != b
            ]
        rules['whole'] = ['mix', 'MATH mix ")"', '"abs(" mix ")"', '"(" mix ")" " ** " "0.5"', '"round(" mix ("," " " DIGIT)? ")"']
        if round == 1:
            rules['whole'] += ['mix TIMES CONSTANT', 'mix SIGN CONSTANT', '"(" mix ")" (TIMES | " ** ") CONSTANT',
                               'CONSTANT TIMES "(" mix ")"', '"max(" mix "," " " NUMBER ")"']
        rules['plain'] = ['whole']
        rules['value'] = ['whole']
    block = '"\\n    '
    deep = '"\\n        '
    readers = ['"return " value']
    if round == 0:
        rules['value'] = ['plain']
        if returned == 'number' and numbers_in:
            rules['value'].append('nsvar "[" index "]"')
    else:
        readers.append(f'"if " flag ":" {deep}return " plain {block}return " plain')
    sources = ['"range(" number ("," " " number)? ")"', *lists, *texts]
    rules['source'] = sources
    if round > 0 and returned in ['number', 'any', 'text', 'list', 'texts', 'numbers']:
        steps = []
        starts = []
        if returned in ['number', 'any']:
            starts += ['"0"', '"1"', *names['number']]
            steps.append(f'"{result}" GROW (natom | "{i}" | "{i}" TIMES natom | "len(" "{i}" ")")')
        if returned in ['text', 'any']:
            starts.append('"\\"\\""')
            steps.append(f'"{result}" " = " "{i}" " + " "{result}"')
            steps.append(f'"{result}" " += " (tatom | "{i}")')
        if returned in ['list', 'texts', 'numbers', 'any']:
            starts.append('"[]"')
            steps.append(f'"{result}" ".append(" (eachi | "{i}" | "{i}" SHAPE) ")"')
        rules['start_value'] = starts
        rules['step'] = steps
        rules['looptest'] = [f'"{i}" " % " natom EQUAL DIGIT', f'"{i}" COMPARE natom', f'"{i}" IN (STRING | "{result}")',
                             f'"{i}" " not in " "{result}"', f'"{i}" ISWHAT']
        readers.append(
            f'"{result}" " = " start_value {block}for {i} in " source ":" {deep}" (step | "if " looptest ":" {deep}    " step)'
            f' {block}return {result}"'
        )

    # What is changed.
    writers = []
    targets = changed or [name for name in message['slots']]
    pops = []
    for number, name in enumerate(targets):
        slot = f'"self.{name}"'
        kind = kinds.get('self.' + name, 'any')
        into = forms.get(kind, every)[0] if kind != 'any' else 'thing'
        ways = [f'{slot} " = " {into}', f'{slot} " = " BLANK']
        if kind in ['number', 'any']:
            ways += [f'{slot} GROW number', f'{slot} GROW NUMBER', f'{slot} " = " NUMBER']
        if kind in ['text', 'any']:
            ways += [f'{slot} " += " text', f'{slot} " = " STRING']
        if kind == 'flag':
            ways.append(f'{slot} " = " "not " {slot}')
        if kind in ['list', 'texts', 'numbers', 'any']:
            ways += [f'{slot} ".append(" thing ")"', f'{slot} ".remove(" thing ")"', f'{slot} ".insert(" index "," " " thing ")"',
                     f'{slot} ".extend(" list ")"', f'{slot} ORDER', f'{slot} ".pop(" index? ")"', f'{slot} "[" index "]" " = " thing']
            pops.append(f'"{result}" " = " {slot} ".pop(" index? ")"')
        if kind in ['table', 'any']:
            ways += [f'{slot} "[" thing "]" " = " thing', f'{slot} "[" thing "]" GROW number', f'{slot} ".pop(" thing ")"',
                     f'{slot} "[" thing "]" " = " {slot} ".get(" thing "," " " NUMBER ")" SIGN (natom | NUMBER)',
                     f'"del " {slot} "[" thing "]"', f'{slot} ".update(" table ")"']
            pops.append(f'"{result}" " = " {slot} ".pop(" thing ("," " " thing)? ")"')
        rules[f'change{number}'] = ways
    if targets:
        signal = f'{block}self._p_changed = True"'
        one = ' | '.join([f'change{number}' for number in range(len(targets))])
        if changed:
            changes = f' {block}" '.join([f'change{number}' for number in range(len(targets))])
            pairs = [f'"self.{a}" "," " self.{b}" " = " "self.{b}" "," " self.{a}"' for a in targets for b in targets if a < b]
            changes = f'({" | ".join([changes, *pairs])})' if len(targets) == 2 else f'({changes})'
        else:
            changes = f'({one})'
        if outcomes or not examples:
            writers += [f'{pop} {signal} {block}return {result}"' for pop in pops]
            writers += [f'{changes} {signal} {block}return " plain', f'"{result}" " = " plain {block}" {changes} {signal} {block}return {result}"']
        if not outcomes:
            writers.append(f'{changes} {signal}')
            if round > 0:
                writers += [f'{changes} {block}" ({one}) {signal}', f'"if " flag ":" {deep}" ({one}) {deep}self._p_changed = True"']

    # Only forms that the examples ask for.
    bodies = []
    if not changed:
        bodies += readers
    if changed or not examples:
        bodies += writers
    rules['body'] = bodies

    parameters = ', '.join(['self', *message['parameters']])
    selector = message['selector']
    lines = ['%llguidance {}', f'start: "def {selector}({parameters}):\\n    " body "\\n"']
    for rule in rules:
        if rules[rule]:
            lines.append(f'{rule}: ' + ' | '.join(dict.fromkeys(rules[rule])))
    lines += [
        'NUMBER: /(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?/' + (' & ~/(' + '|'.join([text.replace('.', '\\.') for text in quoted]) + ')/' if quoted else ''),
        'DIGIT: /[0-9]/',
        'CONSTANT: /[1-9]|10|12|24|60|100|360|365|1000|0\\.[0-9]{1,2}/',
        'SIGN: " + " | " - "',
        'TIMES: " * " | " / " | " // " | " % "',
        'BLANK: "[]" | "{}" | "\\"\\"" | "None" | "True" | "False"',
        'GROW: " += " | " -= " | " *= "',
        'COMPARE: " == " | " != " | " < " | " > " | " <= " | " >= "',
        'EQUAL: " == " | " != "',
        'IN: " in " | " not in "',
        'MATH: "math.sqrt(" | "math.floor(" | "math.ceil(" | "math.factorial(" | "math.log(" | "math.radians("',
        'FOLD: "sum(" | "max(" | "min("',
        'SUMS: "sum(" | "max(" | "min("',
        'PICK: "max(" | "min("',
        'FIRST: "max(" | "min("',
        'QUANT: "all(" | "any("',
        'SORTED: ", reverse=True" | ", key=len"',
        'ORDER: ".clear()" | ".sort()" | ".reverse()" | ".pop()"',
        'SHAPE: ".upper()" | ".lower()" | ".strip()" | ".title()" | ".capitalize()" | ".swapcase()"',
        'LSHAPE: ".upper()" | ".lower()"',
        'STARTS: ".startswith(" | ".endswith("',
        'ISWHAT: ".isdigit()" | ".isalpha()" | ".isupper()" | ".islower()" | ".isspace()"',
        'VIEW: ".keys()" | ".values()" | ".items()"',
        'STRING: /"[ !#-\\[\\]-~]{0,12}"/' + (' & ~/".*(' + '|'.join(quotes) + ').*"/' if quotes else ''),
        'FTEXT: /[ !#-\\[\\]-z|~]{1,16}/',
        'QUOTE: "\\""',
    ]
    return '\n'.join(lines) + '\n'
