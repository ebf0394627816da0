def woven_(self, lanes):
    """One text of all lanes, by the persona that weaves: {'lane', 'text', 'problem'}; woven again where it fails the gate."""
    data = self._tmp_synthesis_data
    question = self.mission_brief['query']
    codex = self.codex
    manner = codex.weaving
    weaver = codex.personas[codex.roles['synthesis']]
    brief = data['known'] + '\n'.join([lane['lane'].split(' ')[0] + ' says: ' + lane['text'] for lane in lanes]) + '\n\n'
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
        # Where the passages can speak for themselves, a second weaving costs more than it is worth.
        if not problem or data['parts'][0]['is_told']:
            return {'lane': 'woven', 'text': answer, 'problem': problem}
    return {'lane': 'woven', 'text': '', 'problem': f"not in {codex.gate['attempts']} attempts: {problem}"}
