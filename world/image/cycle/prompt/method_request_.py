def method_request_(self, message, shown, failures, number):
    """A request to a model that follows instructions: the object, what the method is for, what it must do; its answer has begun.

    Who is asked otherwise says something else, so that each round (`number`, from 0) asks in its own way. In the first the answer
    has begun with the intent and the examples, as what a function says of itself; in the second nothing but what is wanted is said,
    because a model told of rules says less of how it goes about it; in the third the last two failures are shown whole.
    """
    selector = message['selector']
    lines = ['Write the Python method `' + selector + '` of an object.']
    if message.get('intent'):
        lines += ['', 'What it is for: ' + message['intent']]
    lines += self.request_objects_(message, shown)
    examples = ['Examples:' if message['examples'] else 'It will be called like this:', *self.request_examples_(shown)]
    changes = [example for example in shown['examples'] if example['changes']]
    rules = ['- One function and nothing else. Nothing is imported: `math` is there.']
    rules.append('- Attributes are read and written as self.name. No print, no input, no classes, no names with a leading underscore.')
    if changes:
        rules.append('- After the last change of an attribute, or of what it holds, stands the line `self._p_changed = True`; then what is returned.')
    else:
        rules.append('- It returns its answer, and changes no attribute and no argument.')
    rules.append('- It must be right for every input of this kind, not for the examples alone: empty, zero, negative and repeated ones too.')
    begun = ['```python', 'def ' + selector + '(' + ', '.join(['self', *message['parameters']]) + '):']
    if number == 0:
        told = [' '.join(message['intent'].split())[:300], ''] if message.get('intent') else []
        said = [line.replace('\\', '').replace('"""', "'''") for line in told + examples]
        begun += ['    """' + said[0], *[('    ' + line).rstrip() for line in said[1:]], '    """']
    else:
        lines += ['', *examples]
    if number != 1:
        lines += ['', 'Rules:', *rules]
    elif changes:
        lines += ['', 'After the last change of an attribute stands the line `self._p_changed = True`.']
    for failure in failures[-2:]:
        lines += ['', 'This does not do:', '```python', failure['source'].rstrip(), '```', 'Because: ' + failure['problem'][:300]]
    if number == 0:
        lines += ['', 'Answer with the code alone.']
    return [{'role': 'user', 'content': '\n'.join(lines)}, {'role': 'assistant', 'content': '\n'.join(begun) + '\n'}]
