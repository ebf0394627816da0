def message_facts_(self, message):
    """What the forms of a method follow from: the variables by kind, and what the examples return, change and quote.

    `names` has the variables of each kind, quoted as terminals; `kinds` the kind of each slot and parameter; `returned` the
    kind of what is returned; `changed` the slots that an example changes, `targets` those that may be changed;
    `loops` names for loop variables that no parameter has.
    """
    examples = message['examples']
    seen = self.seen_values_(message)
    kinds = seen['kinds']
    returned = kinds.pop('return')
    names = {}
    for kind in ['number', 'text', 'flag', 'list', 'texts', 'numbers', 'table', 'any']:
        names[kind] = [f'"{name}"' for name in kinds if kinds[name] == kind]
    changed = []
    for example in examples:
        before = dict(message['slots'])
        before.update(example.get('slots', {}))
        after = example.get('slots_after', {})
        changed += [name for name in after if name not in changed and (name not in before or before[name] != after[name])]

    # A literal that quotes an example is no method. Small numbers and the usual constants stay.
    numbers = []
    texts = []
    for values in seen['values'].values():
        for value in values:
            if isinstance(value, str) and value and value.isalnum() and value.isascii():
                texts.append(value)
            elif isinstance(value, (int, float)) and 12 < value < 10000 and value not in [24, 60, 100, 180, 360, 365, 1000]:
                numbers.append(str(value))
    loops = {}
    for each, choices in [['number', ['n', 'value', 'x1']], ['text', ['word', 'w', 'x2']], ['letter', ['c', 'letter', 'x3']],
                          ['item', ['item', 'x', 'x4']], ['key', ['k', 'key', 'x5']], ['entry', ['v', 'entry', 'x6']],
                          ['index', ['i', 'index', 'x7']], ['local', ['result', 'answer', 'x8']]]:
        loops[each] = next(choice for choice in choices if choice not in message['parameters'])
    return {
        'names': names, 'kinds': kinds, 'returned': returned, 'loops': loops, 'changed': changed,
        'targets': changed or list(message['slots']), 'has_examples': bool(examples), 'has_outcomes': bool(seen['values']['return']),
        'quoted_numbers': numbers, 'quoted_texts': texts, 'literals': self.text_literals_(seen['values']),
    }
