def draw_form_(self, form, failed, rounds):
    """Draw candidates in `form`, and judge them, until the choice among those that pass is safe: {'choice', 'failures'}.

    The choice is None where none passes; `failures` are those that have `failed` before, which each request shows, and the new
    ones. A second round asks otherwise; a third is shown what failed. More are drawn only where there is time for them: what has
    passed must not be lost to it. A form that is only handed over to has one round, and half of the tokens.
    """
    message = self.message
    most = message['form_tokens'] if rounds > 1 else message['form_tokens'] // 2
    candidates = []
    failures = list(failed)
    choice = None
    grammar = self.open_grammar_(message, True) if form == 'open' else None
    for number in range(rounds):
        manner = self.candidate_sampling_(form, number, most)
        if form == 'narrow':
            grammar = self.candidate_grammar_(message, number)
        shown = failures if form == 'narrow' or number == 2 else failed
        prompt = self._construct_architectural_covenant_prompt(message, form, shown, number)
        drawn = 0
        for portion in manner['portions']:
            before = self.budget_()
            rows = self.infer_(
                prompt, grammar=grammar, n=len(portion), sampling=portion,
                seed=message['seed'] + manner['seed_offset'] + drawn, max_tokens=manner['max_tokens'],
                scored=True, drawing={'round': number + 1, 'form': form},
            )
            drawn = drawn + len(portion)
            candidates = self.judge_rows_(form, rows, candidates)
            failures = failed + [candidate for candidate in candidates if candidate['problem']]
            passed = [candidate for candidate in candidates if not candidate['problem']]
            if not passed:
                continue
            choice = self.choose_(passed)
            is_safe = drawn > 1 and not choice['doubts'] and not choice['is_rote']
            after = self.budget_()
            # The next portion may have many more rows, which are drawn side by side.
            is_late = after['seconds'] < 3 * (before['seconds'] - after['seconds'])
            if is_safe or is_late or after['tokens'] < 3 * (before['tokens'] - after['tokens']):
                return {'choice': choice, 'failures': failures}
        if choice is not None and form == 'narrow' and not choice['is_rote']:
            break
    return {'choice': choice, 'failures': failures}
