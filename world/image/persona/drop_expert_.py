def drop_expert_(self):
    """Speak with the base model again; the expert that was adopted before."""
    dropped = self.expert
    self.expert = None
    self._p_changed = True
    return dropped
