def draw_form_(self, form, failed, rounds):
    """Draw candidates in `form`, and judge them, until the choice among those that pass is safe: {'choice', 'failures'}.

    The choice is None where none passes; `failures` are those that have `failed` before, which each request shows, and the new
    ones. A second round asks otherwise; a third is shown what failed. Another round is begun only where
    there is time for it: what has passed must not be lost to it. A form that is only handed over to has one round, and half
    of the tokens.
    """
    message = self.message
    most = message['form_tokens'] if rounds > 1 else message['form_tokens'] // 2
    passed = []
    failures = list(failed)
    choice = None
    known = {message['previous']: {'count': 0}}
    grammar = self.open_grammar_(message, True) if form == 'open' else None
    for number in range(rounds):
        before = self.budget_()
        shown = failures if form == 'narrow' or number == 2 else failed
        manner = self.candidate_sampling_(form, number, most)
        if form == 'narrow':
            grammar = self.candidate_grammar_(message, number)
        rows = self.infer_(
            self._construct_architectural_covenant_prompt(message, form, shown, number),
            grammar=grammar,
            n=manner['n'],
            sampling=manner['sampling'],
            seed=message['seed'] + manner['seed_offset'],
            max_tokens=manner['max_tokens'],
            scored=True,
            drawing={'round': number + 1, 'form': form},
        )
        for row in rows:
            source = self.source_of_(form, row['text'], message) if form != 'narrow' else row['text']
            if source in known:
                known[source]['count'] += 1
                continue
            trial = self.judge_(self.target, source, message)
            likelihood = 1.0 if row['logprob'] is None else 2.718281828 ** (row['logprob'] / max(row['tokens'], 1))
            candidate = {'source': source, 'problem': trial['problem'], 'count': 1, 'likelihood': likelihood}
            known[source] = candidate
            (failures if trial['problem'] else passed).append(candidate)
        if not passed:
            continue
        drawn = [{'source': one['source'], 'weight': one['count'] * one['likelihood']} for one in passed]
        choice = self.choose_(drawn)
        is_safe = not choice['doubts'] and sum([one['count'] for one in passed]) > 1
        after = self.budget_()
        seconds = before['seconds'] - after['seconds']
        tokens = before['tokens'] - after['tokens']
        # The next round has twice as many rows.
        is_late = after['seconds'] < 3 * seconds or after['tokens'] < 3 * tokens
        if is_late or ((is_safe or form == 'narrow') and not choice['is_rote']):
            break
    return {'choice': choice, 'failures': failures}
