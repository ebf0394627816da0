def fetch_experts_(self, names):
    """Announce the experts of the personas of these names, and of the one that weaves after them."""
    codex = self.codex
    experts = [codex.personas[name].expert for name in [*names, codex.roles['synthesis']]]
    self.prefetch_([expert for expert in experts if expert is not None])
