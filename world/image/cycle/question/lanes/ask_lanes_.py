def ask_lanes_(self):
    """The plain answer and all facets of the plan at once, each with the question and the passages; one that fails is dropped and named."""
    data = self._tmp_synthesis_data
    plan = data['plan']
    if not plan:
        return
    personas = self.codex.personas
    sends = [[self, 'plain_answer_', [], {}]]
    sends += [[personas[step['persona']], step['facet'], [self.asked_(step['query'])], {}] for step in plan]
    replies = self.send_all_(sends, True)
    names = ['plain', *[step['persona'] + ' ' + step['facet'] for step in plan]]
    lanes = []
    partials = []
    dropped = []
    for number, reply in enumerate(replies):
        text = reply['result'].strip() if isinstance(reply.get('result'), str) else ''
        problem = reply['error'] if 'error' in reply else self.quality_gate_(self.mission_brief['query'], text)
        if problem:
            dropped.append({'lane': names[number], 'why': problem[:300]})
            continue
        lanes.append({'lane': names[number], 'text': text})
        if number:
            step = plan[number - 1]
            partials.append({**step, 'answer': text, 'expert': personas[step['persona']].expert})
    data['lanes'] = lanes
    data['partials'] = partials
    data['dropped'] = data['dropped'] + dropped
    self._tmp_synthesis_data = data
    self._p_changed = True
