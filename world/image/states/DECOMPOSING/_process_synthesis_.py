def _process_synthesis_(self):
    """A message comes with its own contract, so its plan is empty and costs no inference; a question is looked up, and divided where that helps."""
    if self.mission_brief['type'] == 'question':
        self.take_up_question_()
        self.plan_question_()
    self.become_('DELEGATING')
