def adopt_expert_(self, name):
    """Speak with the expert of this name from now on; it is brought to the device first, so a bad one is never adopted."""
    self.activate_expert_(name)
    self.expert = name
    self._p_changed = True
    return name
