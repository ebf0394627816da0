def method_request_(self, message, shown, failures):
    """A request to a model that follows instructions: the object, what the method is for, what it must do, the rules.

    The answer has begun already, with the fence of a block of code. Of what failed before, the last two are shown whole.
    """
    selector = message['selector']
    head = 'def ' + selector + '(' + ', '.join(['self', *message['parameters']]) + '):'
    lines = ['Write the Python method `' + selector + '` of an object.']
    if message.get('intent'):
        lines += ['', 'What it is for: ' + message['intent']]
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
    lines += ['', 'Examples:'] if message['examples'] else ['', 'It will be called like this:']
    for example in shown['examples']:
        line = 'with ' + ', '.join(['self.' + name + ' = ' + text for name, text in example['given']]) + ', ' if example['given'] else ''
        line += example['call']
        ends = []
        if example['returns'] is not None:
            ends.append(' returns ' + example['returns'])
        if example['changes']:
            ends.append(' changes ' + ', '.join(['self.' + name + ' to ' + text for name, text in example['changes']]))
        elif example['changes'] is not None:
            ends.append(' changes no attribute')
        lines.append('- ' + line + ' and'.join(ends))
    changes = [example for example in shown['examples'] if example['changes']]
    lines += ['', 'Rules:', '- One function and nothing else. Nothing is imported: `math` is there.']
    lines.append('- Attributes are read and written as self.name. No print, no input, no classes, no names with a leading underscore.')
    if changes:
        lines.append('- After the last change of an attribute, or of what it holds, stands the line `self._p_changed = True`; then what is returned.')
    else:
        lines.append('- It returns its answer, and changes no attribute and no argument.')
    lines.append('- It must be right for every input of this kind, not for the examples alone: empty, zero, negative and repeated ones too.')
    for failure in failures[-2:]:
        lines += ['', 'This does not do:', '```python', failure['source'].rstrip(), '```', 'Because: ' + failure['problem'][:300]]
    lines += ['', 'Answer with the code alone.']
    return [{'role': 'user', 'content': '\n'.join(lines)}, {'role': 'assistant', 'content': '```python\n' + head + '\n'}]
