def request_objects_(self, message, shown):
    """The lines of a request that say what the object has, what it understands, and what it knows of others."""
    lines = []
    if shown['slots']:
        lines += ['', 'The attributes of the object now:']
        lines += ['self.' + name + ' = ' + text for name, text in shown['slots']]
    methods = message.get('selectors', [])
    if methods:
        lines += ['', 'Methods of the object that may be called:']
        lines += ['self.' + known['selector'] + '(' + ', '.join(known['parameters']) + ')  # ' + known['intent'][:100] for known in methods]
    for other in message.get('objects', []):
        known = ', '.join([one['selector'] + '(' + ', '.join(one['parameters']) + ')' for one in other['selectors']])
        lines.append('@' + other['name'] + ' is an object with the attributes ' + ', '.join(list(other['slots'])[:12])
                     + (' and the methods ' + known if known else ''))
    return lines
