def open_terminals_(self, facts):
    """The lexemes of the open form. The lexer takes the longest, so none begins like another and what follows that one.

    A name is none of Python's own words, nor one that the gates refuse wherever it stands; it has no underscore at its ends.
    """
    words = 'False|None|True|and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda'
    words += '|nonlocal|not|or|pass|raise|return|try|while|with|yield'
    taken = 'self|math|print|printed|builtins|breakpoint|getattr|hasattr|eval|exec|setattr|delattr|globals|locals|super|object|open|input|vars|dir'
    taken += '|id|hash|compile|property|staticmethod|classmethod|complex|bytearray|memoryview|Counter|defaultdict|deque'
    more = ' & ~/(' + words + '|' + taken + ')/'
    lines = [
        'NAME: /[A-Za-z]([A-Za-z0-9_]{0,38}[A-Za-z0-9])?/' + more,
        'EARLY: /[a-m]([a-z0-9_]*[a-z0-9])?/' + more, 'LATE: /[n-z]([a-z0-9_]*[a-z0-9])?/' + more,
        'LETTER: /[a-z]/', 'LONG: /[a-z][a-z0-9_]*[a-z0-9]/' + more + ' & ~/left|right|row|col|start|end|low|high/',
    ]
    for kind in ['readable', 'writable']:
        if facts[kind]:
            lines.append(f'{kind.upper()}: ' + ' | '.join([f'"self.{name}"' for name in facts[kind]]))
    return '\n'.join(lines) + '\n' + r"""BUILTIN: /abs|all|any|bin|bool|bytes|chr|dict|divmod|enumerate|filter|float|format|frozenset|hex|int|isinstance|iter|len|list/ | /map|max|min|next|oct|ord|pow|range|repr|reversed|round|set|slice|sorted|str|sum|tuple|type|zip/
MATH: /math\.(acos|asin|atan|atan2|ceil|comb|copysign|cos|degrees|dist|exp|fabs|factorial|floor|fmod|fsum|gcd|hypot|isclose|isfinite|isinf|isnan|isqrt|lcm|log|log10|log2|modf|perm|pow|prod|radians|sin|sqrt|tan|trunc)/
MATHS: /math\.(pi|e|tau|inf)/
ERROR: /(Value|Key|Index|Type|ZeroDivision|Lookup|Arithmetic|Runtime|Overflow|Attribute|NotImplemented)Error|Exception/
READ: /\.(capitalize|casefold|center|copy|count|difference|endswith|expandtabs|find|get|index|intersection|isalnum|isalpha|isascii|isdecimal|isdigit)\(/ | /\.(isdisjoint|isidentifier|islower|isnumeric|isspace|issubset|issuperset|istitle|isupper|items|join|keys|ljust|lower|lstrip|partition|removeprefix)\(/ | /\.(removesuffix|replace|rfind|rindex|rjust|rpartition|rsplit|rstrip|split|splitlines|startswith|strip|swapcase|symmetric_difference|title|translate|union|upper|values|zfill|is_integer|bit_length)\(/
CHANGE: /\.(add|append|clear|difference_update|discard|extend|insert|intersection_update|pop|popitem|remove|reverse|setdefault|sort|update)\(/
TAKE: /\.(pop|popitem|setdefault)\(/
OPERATOR: / ?(\+|-|\*|\/|\/\/|%|\*\*|&|\||\^|<<|>>|==|!=|<|>|<=|>=) ?/ | / (in|not in|is|is not) /
GROW: / (\+|-|\*|\/|\/\/|%|\*\*|&|\||\^)= /
NUMBER: /(0|[1-9][0-9]{0,11})(\.[0-9]{1,8})?/ | /[1-9](\.[0-9]{1,4})?e-?[1-9][0-9]?/
CONSTANT: "None" | "True" | "False"
DTEXTS: /"([^"\\\x00-\x1f\x7f-\xa0\xad\u0600-\u200f\u2028-\u206f\ud7a4-\U0010ffff]|\\[nt\\"']){0,60}"/
STEXTS: /'([^'\\\x00-\x1f\x7f-\xa0\xad\u0600-\u200f\u2028-\u206f\ud7a4-\U0010ffff]|\\[nt\\"']){0,60}'/
DPLAIN: /"[ A-Za-z0-9_.,;:\/+*-]{0,40}"/
SPLAIN: /'[ A-Za-z0-9_.,;:\/+*-]{0,40}'/
DTEXT: /([^"\\{}\x00-\x1f\x7f-\xa0\xad\u0600-\u200f\u2028-\u206f\ud7a4-\U0010ffff]|\\[nt\\]){1,60}/
STEXT: /([^'\\{}\x00-\x1f\x7f-\xa0\xad\u0600-\u200f\u2028-\u206f\ud7a4-\U0010ffff]|\\[nt\\]){1,60}/
FORMAT: /"([ !#-\[\]-z|~]|\{[0-9]?(:[0-9]{0,2}(\.[0-9])?[df%]?)?\}){1,60}"/ | /'([ !-&(-\[\]-z|~]|\{[0-9]?(:[0-9]{0,2}(\.[0-9])?[df%]?)?\}){1,60}'/
SPEC: "!r" | /:[<>^]?0?[0-9]{0,2},?(\.[0-9])?[dfs%]?/
WORDS: /\"\"\"[^"\\\x00-\x1f\x7f-\xa0\xad\u0600-\u200f\u2028-\u206f\ud7a4-\U0010ffff]{1,120}\"\"\"/
COMMENT: /# ?[ -~]{1,80}/
NEWLINE: /(  # [ -~]{1,80})?\n\n?/
COMMA: /,( |\n {4,40})?/
COLON: /: ?/
OPEN: /\((\n {4,40})?/
CLOSE: /(\n {4,40})?\)/
OPENS: /\[(\n {4,40})?/
CLOSES: /(\n {4,40})?\]/
OPENC: /\{(\n {4,40})?/
CLOSEC: /(\n {4,40})?\}/"""
