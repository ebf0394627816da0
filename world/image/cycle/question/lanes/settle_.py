def settle_(self, lane):
    """The cycle's answer, from the lane that is given: with its sources, where each sentence stands, and what was dropped."""
    data = self._tmp_synthesis_data
    question = self.mission_brief['query']
    text = lane['text']
    refused = data['is_refused']
    cited = {'citations': [], 'unknown': []}
    if not refused and data['sources']:
        cited = self.cite_(text, question, data['sources'])
    untold = [part['ask'] for part in data['parts'] if not part['is_told']]
    if not refused and untold and len(untold) < len(data['parts']):
        text += ' The documents do not say: ' + ' '.join(untold)
    self.answer = {
        'answer': text,
        'way': data['way'],
        'lane': lane['lane'],
        'refused': refused,
        'nearest': self.nearest_(data['parts'], data['sources']) if refused else None,
        'facets': data['partials'],
        'dropped': data['dropped'],
        'sources': data['sources'],
        'citations': cited['citations'],
        'unknown': cited['unknown'],
    }
    self._p_changed = True
