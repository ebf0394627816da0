def _process_synthesis_(self):
    """A message comes with its own contract, so its plan is empty and costs no inference."""
    data = self._tmp_synthesis_data
    data['plan'] = []
    self._tmp_synthesis_data = data
    self._p_changed = True
    self.become_('DELEGATING')
