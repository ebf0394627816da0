def _process_synthesis_(self):
    """All facets of the plan at once; a facet that its persona does not understand yet is written on the way."""
    data = self._tmp_synthesis_data
    plan = data['plan']
    if plan:
        personas = self.codex.personas
        known = self.known_(data['sources'])
        answers = self.send_all_([[personas[step['persona']], step['facet'], [known + step['query']], {}] for step in plan])
        partials = []
        for number, step in enumerate(plan):
            part = dict(step)
            part['answer'] = answers[number]
            part['expert'] = personas[step['persona']].expert
            partials.append(part)
        data['partials'] = partials
        self._tmp_synthesis_data = data
        self._p_changed = True
    self.become_('SYNTHESIZING')
