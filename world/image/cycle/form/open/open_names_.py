def open_names_(self, message):
    """What the open form may name beside locals: the slots that are only read, those that are changed too, the selectors.

    Where there are examples, just the slots that they change are `writable`; without one all of them. `sends` has the selectors
    that can be sent, to self or to what a variable holds, with their parameters: the message's own, and those of `selectors`.
    """
    facts = self.message_facts_(message)
    names = [*message['slots'], *facts['changed']]
    slots = []
    for name in names:
        if name not in slots and name.isidentifier() and not name.startswith('_') and not name.endswith('_'):
            slots.append(name)
    writable = facts['changed'] if facts['has_examples'] else slots
    sends = {message['selector']: message['parameters']}
    for known in message.get('selectors', []):
        sends.setdefault(known['selector'], known['parameters'])
    return {
        'readable': [name for name in slots if name not in writable], 'writable': [name for name in slots if name in writable],
        'sends': sends, 'parameters': message['parameters'], 'depth': 5, 'levels': 6,
    }
