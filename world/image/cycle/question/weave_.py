def weave_(self):
    """One answer from the question, what is known, and the facets' partial answers; woven again where it fails the gate."""
    data = self._tmp_synthesis_data
    question = self.mission_brief['query']
    codex = self.codex
    manner = codex.weaving
    weaver = codex.personas[codex.roles['synthesis']]
    said = [part['persona'] + ' says: ' + part['answer'] for part in data['partials']]
    brief = self.known_(data['sources']) + '\n'.join(said) + '\n\n'
    brief += 'Reconcile what was said, and claim nothing else. From this, answer the question: ' + question
    problem = ''
    for attempt in range(codex.gate['attempts']):
        try:
            answer = self.infer_(
                brief,
                system_prompt=weaver.mandate,
                adapter_name=weaver.expert,
                grammar=self.prose_grammar_(manner['sentences']) if manner['sentences'] else None,
                sampling={'temperature': manner['temperature'], 'top_p': manner['top_p']},
                seed=self.seed + 1 + attempt,
                max_tokens=manner['max_tokens'],
            ).strip()
        except SendFailed as failure:
            problem = str(failure)
            continue
        problem = self.quality_gate_(question, answer)
        if not problem:
            self.answer = {'answer': answer, 'facets': data['partials'], 'sources': data['sources']}
            self._p_changed = True
            return ''
    return f"the answer did not pass the quality gate in {codex.gate['attempts']} attempts: {problem}"
