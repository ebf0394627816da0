def request_examples_(self, shown):
    """A line for each example: what it begins with, the call, what that returns and changes."""
    lines = []
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
    return lines
