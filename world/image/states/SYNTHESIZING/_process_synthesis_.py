def _process_synthesis_(self):
    """A question is woven into an answer; for a message a method is written, for a facet's by the facet mandate."""
    if self.mission_brief['type'] == 'question':
        problem = self.weave_()
    else:
        pillar = self.pillar_of_(self.message)
        problem = self.write_facet_(pillar) if pillar else self.write_method_()
    if not problem:
        self.become_('COMPLETE')
        return
    data = self._tmp_synthesis_data
    data['error'] = problem
    self._tmp_synthesis_data = data
    self._p_changed = True
    self.become_('FAILED')
