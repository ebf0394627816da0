def shortlist_(self, question):
    """The facets that come into question: the nearest of the persona to whom such a question goes, and one to check.

    What kind of question it is, the typical questions of the codex tell by their nearness in meaning.
    """
    codex = self.codex
    asks = []
    for route in codex.routes:
        asks += [[route, ask] for ask in route['asks']]
    pillars = []
    for name, persona in codex.personas.items():
        pillars += [{'persona': name, 'pillar': pillar} for pillar in persona.pillars]
    scores = self.rank_(question, [ask for route, ask in asks] + [item['pillar']['intent'] for item in pillars])
    kinds, nearness = scores[:len(asks)], scores[len(asks):]
    personas = asks[kinds.index(max(kinds))][0]['personas']
    places = [place for score, place in sorted([[-score, place] for place, score in enumerate(nearness)])]
    first = [pillars[place] for place in places if pillars[place]['persona'] == personas[0]]
    others = [pillars[place] for place in places if pillars[place]['persona'] in personas[1:]]
    return (first[:2] + others[:1] + first[2:] + others[1:])[:codex.plan['shortlist']]
