def _process_synthesis_(self):
    """All facets of the plan at once; a facet that its persona does not understand yet is written on the way."""
    data = self._tmp_synthesis_data
    plan = data['plan']
    if plan:
        personas = self.codex.personas
        known = self.known_(data['sources'])
        # A small model that is only asked begins to repeat the text; one that is told to answer from it answers.
        asked = [known + 'From this text, answer the question: ' + step['query'] if known else step['query'] for step in plan]
        sends = [[personas[step['persona']], step['facet'], [asked[n]], {}] for n, step in enumerate(plan)]
        answers = self.send_all_(sends)
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
