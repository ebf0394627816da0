def ask_(self, question):
    """Answer a question: one of a few words that memory knows nothing about at once, every other one by a cycle."""
    if len(question.split()) <= 3 and not self.recall_(question, 1):
        answer = self.infer_(question, grammar=self.prose_grammar_(2), sampling={'temperature': 0.2, 'top_p': 0.9}, max_tokens=300)
        return {'answer': answer, 'facets': [], 'sources': [], 'bypassed': True}
    return self._orc_start_cognitive_cycle_({
        'command': 'initiate_cognitive_cycle',
        'target_oid': self,
        'mission_brief': {'type': 'question', 'query': question},
    })
