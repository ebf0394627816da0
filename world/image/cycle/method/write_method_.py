def write_method_(self):
    """Write the method of a message: '' or what went wrong.

    Candidates are written, judged and tried in rounds; those that pass are told apart by what they do on other inputs. Where
    the best of them says nothing but what the examples say, it is installed only if no round brings forth a better one.
    """
    similar = self.similar_methods_(self.message)
    feedback = []
    passed = []
    choice = None
    for number in range(self.rounds):
        manner = self.candidate_sampling_(number)
        texts = self.infer_(
            self._construct_architectural_covenant_prompt(self.message, similar, feedback),
            grammar=self.candidate_grammar_(self.message, number),
            n=manner['n'],
            sampling=manner['sampling'],
            seed=self.message['seed'] + manner['seed_offset'],
            max_tokens=manner['max_tokens'],
        )
        known = [failure['source'] for failure in feedback] + [candidate['source'] for candidate in passed]
        before = len(passed)
        for source in texts:
            if source in known:
                continue
            known.append(source)
            trial = self.judge_(self.target, source, self.message)
            if trial['problem']:
                feedback.append({'source': source, 'problem': trial['problem']})
            else:
                passed.append({'source': source})
        if len(passed) > before:
            choice = self.choose_(passed)
            if not choice['is_rote']:
                break
    if choice is None:
        return f'none of {len(feedback)} candidate methods passed the guardian and the examples'
    self.conclude_(choice['source'], '', choice['groups'], choice['doubts'])
    return ''
