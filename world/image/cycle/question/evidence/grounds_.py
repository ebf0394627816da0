def grounds_(self, part):
    """Whether the passages speak of what a part of the question asks, as far as words and numbers tell.

    They do not where too much of the question has no word in the document, or where a measure is asked for and the nearest pieces have none.
    A word counts as said where one that means nearly the same stands in the piece.
    """
    evidence = part['evidence']
    if not evidence:
        return False
    best = evidence[0]
    wanted = self.wanted_(part['ask'])
    if wanted['kinds'] and wanted['kinds'][0] in ['unit', 'year'] and not any(piece['fit'] for piece in evidence[:2]):
        return False
    most = 0.4
    missing = best['missing']
    if missing < most:
        return True
    lacking = dict(best['lacking'])
    shown = {term: part['ask'][start:end] for term, start, end, content in self.terms_of_([part['ask']])[0] if term in lacking}
    words = list(dict.fromkeys([word.strip('.,;:!?"()*') for word in best['text'].split() if len(word) > 2]))[:40]
    for term in sorted(shown, key=lambda term: -lacking[term])[:3]:
        if words and max(self.rank_(shown[term], words)) >= 0.55:
            missing -= lacking[term]
    return missing < most
