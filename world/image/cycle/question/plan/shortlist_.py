def shortlist_(self, question):
    """The facets that come into question: the nearest of the persona to whom such a question goes, and one to check.

    What a question is near to, the typical questions of the codex tell, for each route and for each pillar.
    """
    codex = self.codex
    asks = []
    for route in codex.routes:
        asks += [{'text': ask, 'personas': route['personas']} for ask in route['asks']]
    pillars = []
    for name, persona in codex.personas.items():
        pillars += [{'persona': name, 'pillar': pillar} for pillar in persona.pillars]
    for place, item in enumerate(pillars):
        asks += [{'text': text, 'place': place} for text in [item['pillar']['intent'], *item['pillar']['asks']]]
    scores = self.rank_(question, [ask['text'] for ask in asks])
    personas = []
    nearest = -2.0
    nearness = [-2.0 for item in pillars]
    for ask, score in zip(asks, scores):
        if 'place' in ask:
            nearness[ask['place']] = max(nearness[ask['place']], score)
        elif score > nearest:
            nearest = score
            personas = ask['personas']
    places = [place for score, place in sorted([[-score, place] for place, score in enumerate(nearness)])]
    first = [pillars[place] for place in places if pillars[place]['persona'] == personas[0]]
    others = [pillars[place] for place in places if pillars[place]['persona'] in personas[1:]]
    return (first[:2] + others[:1] + first[2:] + others[1:])[:codex.plan['shortlist']]
