def shown_message_(self, message, width):
    """The message as a prompt shows it: {'slots', 'examples'}, every value as a text of at most `width` characters.

    Of an example: its call, the slots that it begins with, those that it changes (None: nothing is asked of them), and what
    it returns (None: nothing is asked).
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

    def short(value):
        shown = text(value)
        return shown[:width - 1] + '…' if len(shown) > width else shown

    examples = []
    for example in message['examples'][:3] or [message]:
        slots = dict(message['slots'])
        slots.update(example.get('slots', {}))
        after = example.get('slots_after', {})
        changed = [name for name in after if name not in slots or slots[name] != after[name]]
        words = [short(value) for value in example['args']]
        words += [name + '=' + short(value) for name, value in example['kwargs'].items()]
        examples.append({
            'call': 'self.' + message['selector'] + '(' + ', '.join(words) + ')',
            'slots': [[name, short(slots[name])] for name in list(slots)[:12]],
            'given': [[name, short(value)] for name, value in list(example.get('slots', {}).items())[:12]],
            'changes': [[name, short(after[name])] for name in changed] if 'slots_after' in example else None,
            'returns': short(example['returns']) if 'returns' in example else None,
        })
    return {'slots': [[name, short(value)] for name, value in list(message['slots'].items())[:12]], 'examples': examples}
