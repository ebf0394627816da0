def continued_page_(self, message, shown, failures):
    """The house's manner, and the message with its examples; the model goes on from there.

    It is one unfinished turn of the model's own: a small model continues code better than it follows instructions. Of
    what failed before, the last three are shown with what was wrong; more, and a small model repeats what it reads.
    """
    lines = []
    if message.get('intent'):
        lines.append('# ' + message['intent'].split('\n')[0][:160])
    for example in shown['examples']:
        lines.append('# slots: ' + ', '.join([name + ' = ' + text for name, text in example['slots']]))
        ends = []
        if example['changes'] is not None:
            ends.append(' changes ' + (', '.join([name + ' to ' + text for name, text in example['changes']]) or 'nothing'))
        if example['returns'] is not None:
            ends.append(' -> ' + example['returns'])
        if ends:
            lines.append('# ' + example['call'] + ' and'.join(ends))
    for failure in failures[-3:]:
        body = '; '.join([line.strip() for line in failure['source'].splitlines()[1:]])
        lines.append('# not: ' + body[:60] + '  (' + failure['problem'][:60] + ')')
    return [{'role': 'assistant', 'content': self.house_manner_() + '\n'.join(lines) + '\n'}]
