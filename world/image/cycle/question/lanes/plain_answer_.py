def plain_answer_(self):
    """The question put to the base model as it stands, with the passages: one text, in as many sentences as an answer may have."""
    manner = self.codex.weaving
    return self.infer_(
        self.asked_(self.mission_brief['query']),
        n=1,
        grammar=self.prose_grammar_(manner['sentences'] or 8),
        sampling={'temperature': 0.0, 'top_p': 1.0},
        seed=self.seed,
        max_tokens=manner['max_tokens'],
    )[0].strip()
