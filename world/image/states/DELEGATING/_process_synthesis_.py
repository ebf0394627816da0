def _process_synthesis_(self):
    data = self._tmp_synthesis_data
    if data['plan']:
        self.doom_('the plan asks for facets, and this world has no personas to answer them')
    self.become_('SYNTHESIZING')
