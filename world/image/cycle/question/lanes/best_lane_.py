def best_lane_(self, lanes, told):
    """The lane whose text the passages bear out best; of several as good the first, as the passages' own words come last.

    A text is borne out by what it says of the nearest pieces to each part of the question. Numbers and names that stand nowhere, and sentences
    that no passage supports, speak against it.
    """
    if not told:
        return lanes[0]
    data = self._tmp_synthesis_data
    question = self.mission_brief['query']
    texts = [lane['text'] for lane in lanes]
    scores = [0.0 for text in texts]
    for part in told:
        carried = self.carries_(part, texts)
        scores = [score + share / len(told) for score, share in zip(scores, carried)]
    best = 0
    for place, lane in enumerate(lanes):
        # The passages' own words need no proof; a text that says nothing of them is past it.
        if lane['lane'] == 'passages':
            scores[place] = 1.0
        elif scores[place] > 0.5:
            cited = self.cite_(lane['text'], question, data['sources'])
            loose = len([1 for citation in cited['citations'] if not citation['supported']])
            scores[place] -= (0.5 if cited['unknown'] else 0.0) + 0.3 * loose / max(1, len(cited['citations']))
        if scores[place] > scores[best] + 0.21:
            best = place
    return lanes[best]
