def _construct_architectural_covenant_prompt(self, message, similar, feedback):
    """A page of methods in the house's manner, then the message with its examples; the model writes on from there.

    Methods that were written for similar messages stand between the two. It is one unfinished turn of the model's own: a small model continues code better than it follows instructions. Of
    what failed before, the last three are shown with what was wrong; more, and a small model repeats what it reads.
    """
    page = '''# slots: gold = 90, players = 3
# self.share_() -> 30.0
def share_(self):
    return self.gold / self.players

# slots: seconds = 150
# self.whole_minutes_() -> 2
def whole_minutes_(self):
    return math.floor(self.seconds / 60)

# slots: title = "Dune"
# self.label_("book") -> "book: DUNE"
def label_(self, kind):
    return kind + ": " + self.title.upper()

# slots: scores = [4, 8, 1]
# self.raised_(2) -> [6, 10]
def raised_(self, by):
    return [n + by for n in self.scores if n > 1]

# slots: names = ["Al", "Bo", "Cleo"]
# self.short_names_() -> 2
def short_names_(self):
    return sum(1 for word in self.names if len(word) < 3)

# slots: speed = 3
# self.accelerate_(2) changes speed to 5
def accelerate_(self, by):
    self.speed = self.speed + by
    self._p_changed = True

# slots: queue = ["Al", "Bo"]
# self.next_in_queue_() changes queue to ["Bo"] and -> "Al"
def next_in_queue_(self):
    result = self.queue.pop(0)
    self._p_changed = True
    return result

'''
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

    shown = {}
    for name in message['slots']:
        shown[name] = message['slots'][name]
    lines = []
    for example in message['examples'][:3] or [message]:
        slots = dict(shown)
        slots.update(example.get('slots', {}))
        texts = [f'{name} = {text(slots[name])[:60]}' for name in list(slots)[:12]]
        lines.append('# slots: ' + ', '.join(texts))
        given = [text(value)[:60] for value in example['args']]
        given += [f'{name}={text(value)[:60]}' for name, value in example['kwargs'].items()]
        line = '# self.' + message['selector'] + '(' + ', '.join(given) + ')'
        ends = []
        if 'slots_after' in example:
            after = example['slots_after']
            changes = [f'{name} to {text(after[name])[:60]}' for name in after if name not in slots or slots[name] != after[name]]
            ends.append(' changes ' + (', '.join(changes) or 'nothing'))
        if 'returns' in example:
            ends.append(' -> ' + text(example['returns'])[:60])
        if ends:
            lines.append(line + ' and'.join(ends))
    for failure in feedback[-3:]:
        body = '; '.join([line.strip() for line in failure['source'].splitlines()[1:]])
        lines.append('# not: ' + body[:60] + '  (' + failure['problem'][:60] + ')')
    page += ''.join([source.rstrip() + '\n\n' for source in similar])
    return [{'role': 'assistant', 'content': page + '\n'.join(lines) + '\n'}]
