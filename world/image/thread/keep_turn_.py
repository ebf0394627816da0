def keep_turn_(self, turn):
    """Keep one turn of a conversation, {'question', 'answer', 'cited'}; of a long one the latest fifty stay."""
    self.turns = [*self.turns, turn][-50:]
    self._p_changed = True
