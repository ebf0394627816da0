def write_facet_(self, pillar):
    """The facet mandate: write the method of a facet from its pillar's intent, under a grammar; '' or what went wrong."""
    message = self.message
    prompt = f"# {pillar['name']}: {pillar['intent']}\n"
    problem = 'no candidate was written'
    for number in range(self.rounds):
        texts = self.infer_(
            [{'role': 'assistant', 'content': prompt}],
            grammar=self.facet_grammar_(message, pillar),
            n=2,
            sampling={'temperature': 0.7, 'top_p': 0.95},
            seed=message['seed'] + 1000 * number,
            max_tokens=400,
        )
        passed = []
        for source in texts:
            trial = self.judge_(self.target, source, message)
            if trial['problem']:
                problem = trial['problem']
            else:
                passed.append({'source': source, 'result': trial['result']})
        if passed:
            self.conclude_(self.most_agreed_(passed), '', [], [])
            return ''
    return f"the facet {message['selector']} was refused in {self.rounds} rounds: {problem}"
