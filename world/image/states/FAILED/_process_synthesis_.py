def _process_synthesis_(self):
    self.doom_(self._tmp_synthesis_data['error'])
