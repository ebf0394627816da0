def weave_(self):
    """The answer: of the lanes, what is woven of them and the passages' own words, the one that the passages bear out best."""
    data = self._tmp_synthesis_data
    question = self.mission_brief['query']
    told = [part for part in data['parts'] if part['is_told']]
    if data['is_refused']:
        self.settle_({'lane': '', 'text': 'The documents do not say.'})
        return ''
    lanes = list(data['lanes'])
    dropped = list(data['dropped'])
    woven = self.woven_(lanes) if data['way'] == 'deep' and lanes else None
    if woven is None and not lanes:
        try:
            woven = {'lane': 'plain', 'text': self.plain_answer_()}
            woven['problem'] = self.quality_gate_(question, woven['text'])
        except SendFailed as failure:
            woven = {'lane': 'plain', 'problem': str(failure)}
    if woven and woven['problem']:
        dropped.append({'lane': woven['lane'], 'why': woven['problem'][:300]})
    elif woven:
        lanes = [{'lane': woven['lane'], 'text': woven['text']}, *lanes]
    if told and len(data['partials']) > 1:
        lanes.append({'lane': 'facets', 'text': ' '.join([part['answer'] for part in data['partials']])})
    if told:
        lanes.append({'lane': 'passages', 'text': self.quote_(told)})
    if not lanes:
        reasons = '; '.join([lane['lane'] + ': ' + lane['why'] for lane in dropped])
        return f'no lane came to an answer that passes the quality gate: {reasons}'
    data['dropped'] = dropped
    self._tmp_synthesis_data = data
    self._p_changed = True
    self.settle_(self.best_lane_(lanes, told))
    return ''
