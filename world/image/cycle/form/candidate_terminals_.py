def candidate_terminals_(self, quoted_numbers, quoted_texts, literals):
    """The lexemes of a method's form; no number and no text is one that an example quotes.

    No lexeme is a beginning of a sequence of others, because the lexer takes the longest.
    """
    number = ' & ~/(' + '|'.join([text.replace('.', '\\.') for text in quoted_numbers]) + ')/' if quoted_numbers else ''
    string = ' & ~/".*(' + '|'.join(quoted_texts) + ').*"/' if quoted_texts else ''
    kept = [part for part in literals['parts'] or [] if not any(text in part for text in quoted_texts)]
    whole = ' | '.join([f'"\\"{part}\\""' for part in kept]) or '"\\" \\""'
    bare = ' | '.join([f'"{part}"' for part in kept if '{' not in part and '}' not in part]) or '" "'
    marks = ' | '.join([f'"\\"{mark}\\""' for mark in literals['marks']]) or '"\\" \\""'
    return f'PART: {whole}\nFPART: {bare}\nMARK: {marks}\n' + r"""JOIN: /"([ !#-\/:-@\[\]-`|~]{0,3}| and | or )"/
NUMBER: /(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?/""" + number + r"""
STRING: /"[ !#-\[\]-~]{0,12}"/""" + string + r"""
DIGIT: /[0-9]/
CONSTANT: /[1-9]|10|12|24|60|100|360|365|1000|0\.[0-9]{1,2}/
SIGN: " + " | " - "
TIMES: " * " | " / " | " // " | " % "
BLANK: "[]" | "{}" | "\"\"" | "None" | "True" | "False"
GROW: " += " | " -= " | " *= "
COMPARE: " == " | " != " | " < " | " > " | " <= " | " >= "
EQUAL: " == " | " != "
IN: " in " | " not in "
MATH: "math.sqrt(" | "math.floor(" | "math.ceil(" | "math.factorial(" | "math.log(" | "math.radians("
FOLD: "sum(" | "max(" | "min("
SUMS: "sum(" | "max(" | "min("
PICK: "max(" | "min("
FIRST: "max(" | "min("
QUANT: "all(" | "any("
SORTED: ", reverse=True" | ", key=len"
ORDER: ".clear()" | ".sort()" | ".reverse()" | ".pop()"
SHAPE: ".upper()" | ".lower()" | ".strip()" | ".title()" | ".capitalize()" | ".swapcase()"
LSHAPE: ".upper()" | ".lower()"
STARTS: ".startswith(" | ".endswith("
ISWHAT: ".isdigit()" | ".isalpha()" | ".isupper()" | ".islower()" | ".isspace()"
VIEW: ".keys()" | ".values()" | ".items()"
FTEXT: /[ !#-\[\]-z|~]{1,16}/
QUOTE: "\""
"""
