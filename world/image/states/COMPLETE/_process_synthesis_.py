def _process_synthesis_(self):
    self._tmp_synthesis_data = {}
    self._p_changed = True
