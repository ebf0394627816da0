def source_of_(self, form, text, message):
    """The method that a drawn text is: whole in the narrow form, else what follows the `def` line, as far as its fence."""
    if form == 'narrow':
        return text
    head = 'def ' + message['selector'] + '(' + ', '.join(['self', *message['parameters']]) + '):\n'
    body = text.split('```')[0]
    if form == 'free':
        if body.strip().startswith('def '):
            return body.strip() + '\n'
        body = '\n'.join([line for line in body.split('\n') if line.strip() not in ['import math', 'from math import *']])
    return head + body.rstrip() + '\n'
