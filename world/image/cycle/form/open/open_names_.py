def open_names_(self, message):
    """What the open form may name beside locals: the slots that are only read, those that are changed too, the selectors.

    Where there are examples, just the slots that they change are `writable`; without one all of them. A selector is sent with
    at most as many arguments as it has parameters. `hidden` are parameters that are written like something else in the form.
    """
    facts = self.message_facts_(message)
    names = [*message['slots'], *facts['changed']]
    slots = []
    for name in names:
        if name not in slots and name.isidentifier() and not name.startswith('_') and not name.endswith('_'):
            slots.append(name)
    writable = facts['changed'] if facts['has_examples'] else slots
    sends = {message['selector']: len(message['parameters'])}
    for known in message.get('selectors', []):
        sends[known['selector']] = max(len(known['parameters']), sends.get(known['selector'], 0))
    return {
        'readable': [name for name in slots if name not in writable], 'writable': [name for name in slots if name in writable],
        'sends': sends, 'own': message['selector'], 'parameters': message['parameters'], 'depth': 5, 'levels': 6,
    }
