def write_method_(self):
    """Have the method of a message: '' or what went wrong.

    A method that the world already has, and that holds the contract, is adopted. Otherwise candidates are drawn, judged and
    tried, in the form that suits the model, then in the next one. Of those that pass, the likeliest behaviour wins; one that
    says nothing but what the examples say is taken only where no form brings forth a better one. The method that stands goes on
    where it holds the whole contract and no better one is found; the contract has what was added to it.
    """
    message = self.message
    adopted = self.adopt_known_(message)
    if adopted is not None:
        self.conclude_(adopted['source'], adopted['origin'], [], [])
        return ''
    failures = []
    holds = False
    if message['previous']:
        trial = self.judge_(self.target, message['previous'], message)
        holds = message['is_standing'] and not trial['problem']  # one that was rejected does not come back
        failures.append({'source': message['previous'], 'problem': trial['problem'] or 'a better one is wanted'})
    found = None
    ladder = self.placement_()
    for form in ladder:
        drawn = self.draw_form_(form, failures, self.rounds if form == ladder[0] else 1)
        failures = drawn['failures']
        choice = drawn['choice']
        if choice is not None and (found is None or not choice['is_rote']):
            found = choice
        if found is not None and not found['is_rote']:
            break
    if found is not None:
        self.conclude_(found['source'], '', found['groups'], found['doubts'])
        return ''
    if holds:
        self.conclude_(message['previous'], '', [], [])
        return ''
    return f'none of {len(failures)} candidate methods passed the guardian and the examples'
