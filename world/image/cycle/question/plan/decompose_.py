def decompose_(self, question, known):
    """The plan for a question: [{'persona', 'facet', 'query'}, …], by the persona that leads decomposition.

    Of a facet that nobody has the persona is ''.
    """
    codex = self.codex
    leader = codex.personas[codex.roles['decomposition']]
    shortlist = self.shortlist_(question)
    # While the plan is written, the experts of those who may be asked come nearer.
    self.fetch_experts_([item['persona'] for item in shortlist])
    lines = [leader.mandate, 'Divide the question among facets, and give each a short question of its own.', '', 'Facets:']
    lines += [item['pillar']['facet'] + ': ' + item['pillar']['intent'] for item in shortlist]
    plan = self.infer_(
        known + 'Question: ' + question,
        system_prompt='\n'.join(lines),
        adapter_name=leader.expert,
        schema=self.plan_schema_(shortlist, codex.plan['facets']),
        sampling={'temperature': codex.plan['temperature'], 'top_p': codex.plan['top_p']},
        seed=self.seed,
        max_tokens=400,
    )
    personas = {item['pillar']['facet']: item['persona'] for item in shortlist}
    steps = [{'persona': personas.get(step['facet'], ''), 'facet': step['facet'], 'query': step['query']} for step in plan['steps']]
    self.fetch_experts_([step['persona'] for step in steps if step['persona']])
    return steps
