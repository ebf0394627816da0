def plan_question_(self):
    """Which facets are asked what. Several questions are the plan themselves; one is divided by the model, and no plan is better than a bad one."""
    data = self._tmp_synthesis_data
    if data['way'] != 'deep' or data['is_refused']:
        return
    question = self.mission_brief['query']
    parts = [part for part in data['parts'] if part['is_told']]
    steps = []
    dropped = []
    if len(data['parts']) > 1:
        shortlist = self.shortlist_(question)
        self.fetch_experts_([item['persona'] for item in shortlist])
        for part, item in zip(parts, shortlist):
            steps.append({'persona': item['persona'], 'facet': item['pillar']['facet'], 'query': part['ask']})
    else:
        try:
            steps = self.decompose_(question, data['known'])
        except SendFailed as failure:
            dropped.append({'lane': 'plan', 'why': str(failure)[:300]})
    said = self.terms_of_([question, data['known'], *[step['query'] for step in steps]])
    told = {term for words in said[:2] for term, start, end, content in words if content}
    kept = []
    for step, words in zip(steps, said[2:]):
        is_near = any(term in told for term, start, end, content in words if content)
        if not step['persona']:
            dropped.append({'lane': step['facet'], 'why': 'nobody has this facet'})
        elif parts and not is_near:
            # What strays from the question is not asked; the facet speaks to the question itself.
            kept.append({**step, 'query': question})
        else:
            kept.append(step)
    data['plan'] = kept
    data['dropped'] = data['dropped'] + dropped
    self._tmp_synthesis_data = data
    self._p_changed = True
