def shown_message_(self, message, width):
    """The message as a prompt shows it: {'slots', 'examples'}, every value as a text of about `width` characters.

    Of an example: its call, the slots that it begins with, those that it gives itself, those that it changes (None: nothing is
    asked of them), and what it returns (None: nothing is asked).
    """
    names = message.get('names', [])

    def text(value):
        # What `repr` would show, except that a reference is shown by its object's name, and no long number is written out.
        if isinstance(value, int) and not -10 ** 60 < value < 10 ** 60:
            return 'a number of over 60 digits'
        if value is None or isinstance(value, (bool, int, float, str, bytes)):
            return repr(value)
        if isinstance(value, list):
            return '[' + ', '.join([text(item) for item in value[:60]]) + ']'
        if isinstance(value, dict):
            return '{' + ', '.join([text(key) + ': ' + text(value[key]) for key in list(value)[:60]]) + '}'
        return '@' + ([name for ref, name in names if ref == value] or ['object'])[0]

    selector = message['selector']
    parts = []
    for example in message['examples'][:3] or [message]:
        slots = dict(message['slots'])
        given = example.get('slots', {}) if message['examples'] else {}
        slots.update(given)
        after = example.get('slots_after', {})
        changes = {name: after[name] for name in after if name not in slots or slots[name] != after[name]}
        parts.append([list(slots.items())[:12], list(given.items())[:12], list(changes.items()), list(example['kwargs'].items())])
    plain = list(message['slots'].items())[:12]
    values = [pair[1] for pair in plain]
    for example, part in zip(message['examples'] or [message], parts):
        values += [pair[1] for pairs in part for pair in pairs] + example['args'] + [example.get('returns')]
    whole = [text(value) for value in values]
    texts = [one[:width] + '…' if len(one) > width else one for one in whole]

    examples = []
    at = len(plain)
    for example, part in zip(message['examples'] or [message], parts):
        named = []
        for pairs in part:
            named.append([[pair[0], texts[at + n]] for n, pair in enumerate(pairs)])
            at += len(pairs)
        words = texts[at:at + len(example['args'])] + [name + '=' + text for name, text in named[3]]
        at += len(example['args']) + 1
        examples.append({
            'call': 'self.' + selector + '(' + ', '.join(words) + ')',
            'slots': named[0], 'given': named[1],
            'changes': named[2] if 'slots_after' in example else None,
            'returns': texts[at - 1] if 'returns' in example else None,
        })
    return {'slots': [[pair[0], texts[n]] for n, pair in enumerate(plain)], 'examples': examples}
