def _process_synthesis_(self):
    """A message comes with its own contract, so its plan is empty and costs no inference; a question is divided."""
    if self.mission_brief['type'] == 'question':
        question = self.mission_brief['query']
        hits = self.recall_(question, 10)
        # What was told comes before what was answered: an answer is only as good as its sources were.
        told = [hit for hit in hits if hit['metadata'].get('kind') not in ['answer', 'method', 'failure']]
        answered = [hit for hit in hits if hit['metadata'].get('kind') == 'answer']
        sources = (told[:4] + answered[:1])[:4]
        plan = self.decompose_(question, sources)
        data = self._tmp_synthesis_data
        data['sources'] = sources
        data['plan'] = plan
        self._tmp_synthesis_data = data
        self._p_changed = True
    self.become_('DELEGATING')
