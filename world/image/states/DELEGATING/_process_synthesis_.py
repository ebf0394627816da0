def _process_synthesis_(self):
    """All lanes of a question at once; a facet that its persona does not understand yet is written on the way."""
    if self.mission_brief['type'] == 'question':
        self.ask_lanes_()
    self.become_('SYNTHESIZING')
