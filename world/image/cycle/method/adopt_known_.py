def adopt_known_(self, message):
    """A method that is there already and holds the contract, {'source', 'origin'}, or None: nothing is written where one does.

    First come the sources that the user gives, then methods of the world. One of these may hold a few examples by luck: it
    must hold two with different outcomes, and where it is called otherwise, two that are neither yes nor no, nothing, nor
    the least of numbers. A single example is enough for a method of the same selector on an object of a like kind.
    """
    for source in message['candidates']:
        if not self.judge_(self.target, source, message)['problem']:
            return {'source': source, 'origin': ''}
    outcomes = []
    telling = []
    for example in message['examples']:
        outcome = [example.get('returns'), example.get('slots_after')]
        if outcome not in outcomes:
            outcomes.append(outcome)
            if outcome[1] or outcome[0] not in [None, True, False, 0, 1, '', [], {}]:
                telling.append(outcome)
    if not outcomes:
        return None
    for known in self.kin_(self.target, message):
        is_told = len(telling) > 1 or (known['is_same'] and (known['is_near'] or len(outcomes) > 1))
        if is_told and not self.judge_(self.target, known['source'], message)['problem']:
            return {'source': known['source'], 'origin': known['origin']}
    return None
