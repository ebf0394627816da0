def _process_synthesis_(self):
    self._tmp_synthesis_data = {'mission_brief': self.mission_brief, 'plan': [], 'partials': [], 'sources': [], 'error': None}
    self._p_changed = True
    self.become_('DECOMPOSING')
