def open_names_(self, message):
    """What the open form may name beside locals: the slots that are only read, those that are changed too, the selectors.

    Where there are examples, just the slots that they change are `writable`; without one all of them. `sends` has the selectors
    that can be sent, to self or to what a variable holds, with their parameters, by how many these are: the message's own, and those of
    `selectors`; there are `others` than the message's own.
    """
    facts = self.message_facts_(message)
    names = [*message['slots'], *facts['changed']]
    slots = []
    for name in names:
        if name not in slots and name.isidentifier() and not name.startswith('_') and not name.endswith('_'):
            slots.append(name)
    writable = facts['changed'] if facts['has_examples'] else slots
    known = {message['selector']: message['parameters']}
    for other in message.get('selectors', []):
        known.setdefault(other['selector'], other['parameters'])
    sends = {}
    for selector, parameters in known.items():
        sends.setdefault(len(parameters), []).append([selector, parameters])
    return {
        'readable': [name for name in slots if name not in writable], 'writable': [name for name in slots if name in writable],
        'sends': sends, 'others': len(known) > 1, 'parameters': message['parameters'], 'depth': 5, 'levels': 6,
    }
