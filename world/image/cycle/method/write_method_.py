def write_method_(self):
    """Write the method of a message: '' or what went wrong.

    Candidates are written, judged and tried in rounds; of those that pass, the most agreed-on outcome wins. A candidate
    that quotes an example's result has learned the example by heart: it is kept in reserve, and installed only where no
    round brings forth a better one.
    """
    known = self.adopt_known_(self.message)
    if known is not None:
        self.conclude_(known['source'], known['origin'], [], [])
        return ''
    feedback = []
    reserve = []
    for number in range(self.rounds):
        manner = self.candidate_sampling_(number)
        texts = self.infer_(
            self._construct_architectural_covenant_prompt(self.message, feedback),
            grammar=self.candidate_grammar_(self.message, number),
            n=manner['n'],
            sampling=manner['sampling'],
            seed=self.message['seed'] + manner['seed_offset'],
            max_tokens=manner['max_tokens'],
        )
        passed = []
        known = [failure['source'] for failure in feedback] + [candidate['source'] for candidate in reserve]
        for source in texts:
            if source in known:
                continue
            known.append(source)
            trial = self.judge_(self.target, source, self.message)
            if trial['problem']:
                feedback.append({'source': source, 'problem': trial['problem']})
            elif self.quotes_(source, self.message):
                reserve.append({'source': source, 'result': trial['result']})
            else:
                passed.append({'source': source, 'result': trial['result']})
        if passed:
            break
    if not passed and not reserve:
        return f'none of {len(feedback)} candidate methods passed the guardian and the examples'
    self.conclude_(self.most_agreed_(passed or reserve), '', [], [])
    return ''
