def text_literals_(self, values):
    """Which literals can stand in a text that is put together, and at which a text can be cut, as far as the examples tell.

    `values` are what each variable was seen with, the results as `return`. A literal that is part of every result stands in every result:
    `parts` are those that do, None where fewer than two texts were returned, or too many parts would do. `marks` are the signs between
    words of the texts that were given.
    """
    returned = [value for value in values['return'] if isinstance(value, str)]
    parts = None
    if len(set(returned)) > 1 and len(returned) == len(values['return']):
        shortest = min(returned, key=len)[:80]
        found = [shortest[start:end] for start in range(len(shortest)) for end in range(start + 1, min(start + 24, len(shortest)) + 1)]
        plain = [part for part in dict.fromkeys(found) if all(' ' <= letter <= '~' and letter not in '"\\' for letter in part)]
        parts = [part for part in plain if all(part in text for text in returned)]
        parts = parts if len(parts) <= 200 else None
    marks = []
    for name in values:
        for value in values[name] if name != 'return' else []:
            run = ''
            for letter in value[:400] + 'a' if isinstance(value, str) else '':
                if letter.isalnum() or letter in '"\\' or not ' ' <= letter <= '~':
                    marks += [run, *run] if run else []
                    run = ''
                else:
                    run += letter
    return {'parts': parts, 'marks': [mark for mark in dict.fromkeys(marks) if len(mark) <= 3][:40]}
