def quality_gate_(self, question, answer):
    """What is wrong with an answer, or ''. The deterministic parts first; then, if the codex says so, the model's own score."""
    words = answer.lower().split()
    if not words:
        return 'it is empty'
    if answer[-1] not in '.!?…:;)"\'`”’»。！？':
        return 'it is cut short'
    for size, most in [[1, 12], [4, 2]]:
        runs = [' '.join(words[place:place + size]) for place in range(len(words) - size + 1)]
        for place in range(len(runs)):
            in_a_row = 1
            while place + in_a_row * size < len(runs) and runs[place + in_a_row * size] == runs[place]:
                in_a_row += 1
            if in_a_row > (3 if size == 1 else most):
                return f'it repeats itself: {runs[place][:60]}'
            if size > 1 and runs.count(runs[place]) > 3:
                return f'it repeats itself: {runs[place][:60]}'
    letters = [letter for letter in answer if letter.isalpha()]
    asked = [letter for letter in question if letter.isalpha()]
    if not letters:
        return 'it has no words'
    plain = len([letter for letter in letters if letter < '\u0250']) / len(letters)
    wanted = len([letter for letter in asked if letter < '\u0250']) / max(1, len(asked))
    if abs(plain - wanted) > 0.5:
        return 'it is not in the script of the question'
    gate = self.codex.gate
    if not gate['score']:
        return ''
    rating = {'type': 'integer', 'enum': [1, 2, 3, 4, 5]}
    criteria = ['coherence', 'style', 'synthesis', 'fulfilment']
    scores = self.infer_(
        'Question: ' + question + '\n\nAnswer: ' + answer + '\n\nRate the answer from 1 (bad) to 5 (very good): ' + ', '.join(criteria) + '.',
        schema={'type': 'object', 'properties': dict.fromkeys(criteria, rating), 'required': criteria, 'additionalProperties': False},
        sampling={'temperature': 0.0, 'top_p': 1.0},
        max_tokens=80,
    )
    mean = sum(scores[name] for name in criteria) / len(criteria)
    return '' if mean >= gate['threshold'] else f"the model rates it {mean}, under {gate['threshold']}"
