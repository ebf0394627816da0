def _construct_architectural_covenant_prompt(self, message, feedback):
    """The house's manner, and the message with its examples; the model goes on from there.

    It is one unfinished turn of the model's own: a small model continues code better than it follows instructions. Of
    what failed before, the last three are shown with what was wrong; more, and a small model repeats what it reads.
    """
    names = message.get('names', [])

    def text(value):
        # What `repr` would show, except that a reference is shown by its object's name, and no long number is written out.
        if isinstance(value, int) and not -10 ** 60 < value < 10 ** 60:
            return 'a number of over 60 digits'
        if value is None or isinstance(value, (bool, int, float, str, bytes)):
            return repr(value)
        if isinstance(value, list):
            return '[' + ', '.join([text(item) for item in value[:60]]) + ']'
        if isinstance(value, dict):
            return '{' + ', '.join([text(key) + ': ' + text(value[key]) for key in list(value)[:60]]) + '}'
        return '@' + ([name for ref, name in names if ref == value] or ['object'])[0]

    lines = []
    for example in message['examples'][:3] or [message]:
        slots = dict(message['slots'])
        slots.update(example.get('slots', {}))
        after = example.get('slots_after', {})
        changed = [name for name in after if name not in slots or slots[name] != after[name]]
        told = list(slots)[:12]
        # All that is shown, in the order of the lines.
        values = [slots[name] for name in told] + example['args'] + list(example['kwargs'].values()) + [after[name] for name in changed]
        values += [example['returns']] if 'returns' in example else []
        texts = [text(value)[:60] for value in values]
        lines.append('# slots: ' + ', '.join([f'{name} = {shown}' for name, shown in zip(told, texts)]))
        texts = texts[len(told):]
        given = len(example['args'])
        words = texts[:given] + [f'{name}={shown}' for name, shown in zip(example['kwargs'], texts[given:])]
        line = '# self.' + message['selector'] + '(' + ', '.join(words) + ')'
        texts = texts[len(words):]
        ends = []
        if 'slots_after' in example:
            ends.append(' changes ' + (', '.join([f'{name} to {shown}' for name, shown in zip(changed, texts)]) or 'nothing'))
        if 'returns' in example:
            ends.append(' -> ' + texts[-1])
        if ends:
            lines.append(line + ' and'.join(ends))
    for failure in feedback[-3:]:
        body = '; '.join([line.strip() for line in failure['source'].splitlines()[1:]])
        lines.append('# not: ' + body[:60] + '  (' + failure['problem'][:60] + ')')
    return [{'role': 'assistant', 'content': self.house_manner_() + '\n'.join(lines) + '\n'}]
