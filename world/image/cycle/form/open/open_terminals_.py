def open_terminals_(self, facts):
    """The lexemes of the open form. The lexer takes the longest, so none begins like another and what follows that one.

    A name is none of Python's own words, nor one that the gates refuse wherever it stands; it has no underscore at its ends.
    Texts are without what cannot be seen; within the braces of a text Python forbids its quotes, backslashes and comments.
    llguidance gives up where a mask goes through more than 50,000 items, by default and in llama.cpp's server. A vocabulary of
    152,000 tokens takes 45,000, because a text is ASCII beside braces, and a blank is never left out after a comma or beside one
    end of an operator: where it may be, all that can follow is gone through twice.
    """
    words = self.open_words_()
    names = ' & ~/(' + '|'.join(words['python'] + words['refused']) + ')/'
    unseen = r'\x00-\x1f\x7f-\xa0\xad\u0600-\u200f\u2028-\u206f\ud7a4-\U0010ffff'
    field = r'\{[0-9]?(:[0-9]{0,2}(\.[0-9])?[df%]?)?\}'
    number = r'-?((0|[1-9][0-9]{0,11})(\.[0-9]{1,8})?|[1-9](\.[0-9]{1,4})?e-?[1-9][0-9]?)'
    signs = r'(\+|-|\*|\/|\/\/|%|\*\*|&|\||\^|<<|>>|==|!=|<|>|<=|>=)'
    lines = [
        'NAME: /[A-Za-z]([A-Za-z0-9_]{0,38}[A-Za-z0-9])?|_/' + names,
        'EARLY: /[a-m]([a-z0-9_]*[a-z0-9])?/' + names,
        'LATE: /[n-z]([a-z0-9_]*[a-z0-9])?/' + names,
        'LETTER: /[a-z]/',
        'LONG: /[a-z][a-z0-9_]*[a-z0-9]/' + names + ' & ~/left|right|row|col|start|end|low|high/',
        'CALLED: /' + '|'.join(words['builtins']) + r'|math\.(' + '|'.join(words['maths']) + ')/',
        'ERROR: /' + '|'.join(words['errors']) + '/',
        r'READ: /\.(' + '|'.join(words['reads']) + r')\(/',
        r'CHANGE: /\.(' + '|'.join(words['changes']) + r')\(/',
        r'TAKE: /\.(pop|popitem|setdefault)\(/',
        r'OPERATOR: /' + signs + '/ | / (' + signs + r'|in|not in|is|is not|and|or|and not|or not) /',
        r'GROW: / (\+|-|\*|\/|\/\/|%|\*\*|&|\||\^)= /',
        'NUMBER: /' + number + '/',
        'LITERAL: /' + number + r'/ | /None|True|False|math\.(pi|e|tau|inf)/',
        r'SPEC: "!r" | /:[<>^]?0?[0-9]{0,2},?(\.[0-9])?[dfs%]?/',
        r'WORDS: /\"\"\"[^"\\' + unseen + r']{1,120}\"\"\"/',
        'COMMENT: /#( ?[ -~]{1,160})?/',
        'BLANK: /\\n/',
        r'NEWLINE: /(  # [ -~]{1,80})?\n\n?/',
        r'COMMA: /,( |\n( {4}){1,10})/',
        r'TRAILING: /,(\n( {4}){1,10})?/',
        'COLON: ": "',
        r'FORMAT: /"([ !#-\[\]-z|~]|' + field + r'){1,60}"/ | /' + r"'([ !-&(-\[\]-z|~]|" + field + r"){1,60}'/",
    ]
    texts = [f'/{quote}([^{quote}\\\\{unseen}]|\\\\[nt\\\\"\']){{0,60}}{quote}/' for quote in ['"', "'"]]
    lines.append('TEXTS: ' + ' | '.join(texts))
    for name, quote, plain in [['D', '"', r' !#-\[\]-z|~'], ['S', "'", r' -&(-\[\]-z|~']]:
        lines += [
            f'{name}TEXT: /([{plain}]|\\\\[nt\\\\]){{1,60}}/',
            f'{name}PLAIN: /{quote}[ A-Za-z0-9_.,;:\\/+*-]{{0,40}}{quote}/',
        ]
    for name, opens, closes in [['', '(', ')'], ['S', '[', ']'], ['C', '{', '}']]:
        lines += [f'OPEN{name}: /\\{opens}(\\n( {{4}}){{1,10}})?/', f'CLOSE{name}: /(\\n( {{4}}){{1,10}})?\\{closes}/']
    for count in facts['sends']:
        selectors = '|'.join([selector for selector, _ in facts['sends'][count]])
        lines += [f'SEND{count}: /\\.({selectors})\\(/', f'OWN{count}: /self\\.({selectors})\\(/']
        if count:
            lines.append(f'KEY{count}: /(' + '|'.join([name for _, names in facts['sends'][count] for name in names]) + ')=/')
    for kind in ['readable', 'writable']:
        if facts[kind]:
            lines.append(f'{kind.upper()}: ' + ' | '.join([f'"self.{name}"' for name in facts[kind]]))
    return '\n'.join(lines)
