def cite_(self, answer, question, sources):
    """Where each sentence of an answer stands: {'citations': [{'sentence', 'supported', …}, …], 'unknown': […]}.

    A sentence is pointed to the piece with which it shares most of its words and numbers. `unknown` are numbers and names of the answer that
    stand neither in a passage nor in the question.
    """
    pieces = self.pieces_of_(sources)
    sentences = self.pieces_of_([{'text': answer}])
    texts = [question, *[sentence['text'] for sentence in sentences], *[piece['text'] for piece in pieces]]
    said = self.terms_of_(texts + [source['text'][:6000] for source in sources])
    asked = [term for term, start, end, content in said[0]]
    told = said[1 + len(sentences):1 + len(sentences) + len(pieces)]
    told = [{term for term, start, end, content in words} for words in told]
    everything = set(asked)
    for words in said[1 + len(sentences):]:
        everything |= {term for term, start, end, content in words}
    denying = ['not', 'no', 'never', 'none', 'nobody', 'nothing', 'without', 'nicht', 'kein', 'keine', 'nie', 'ne', 'pas']
    citations = []
    unknown = []
    for number, sentence in enumerate(sentences):
        text = sentence['text']
        words = said[1 + number]
        contents = [term for term, start, end, content in words if content]
        weights = {term: (2.0 if term not in asked else 1.0) * (2.0 if term[0].isdigit() else 1.0) for term in contents}
        total = sum(weights.values())
        shares = [sum([weights[term] for term in weights if term in piece]) for piece in told]
        best = max(range(len(shares)), key=lambda place: (shares[place], -place)) if shares else -1
        strange = []
        for place, (term, start, end, content) in enumerate(words):
            is_name = place > 0 and content and text[start].isupper() and not text[max(0, start - 2):start].strip().endswith(':')
            if (term[0].isdigit() or is_name) and term not in everything:
                strange.append(text[start:end])
        is_supported = bool(total) and best >= 0 and shares[best] >= 0.6 * total and not strange
        denied = [[word.strip('.,;:!?').lower() for word in told_.split()] for told_ in [text, pieces[best]['text'] if best >= 0 else '']]
        denies = [any(word in denying or word.endswith("n't") for word in said_) for said_ in denied]
        if denies[0] and not denies[1]:
            is_supported = False
        citation = {'sentence': text, 'at': sentence['start'], 'to': sentence['end'], 'supported': is_supported}
        if is_supported:
            piece = pieces[best]
            source = sources[piece['source']]
            citation['start'] = piece['start']
            citation['end'] = piece['end']
            for name in ['doc_id', 'chunk_oid', 'chunk_index']:
                citation[name] = source[name]
        citations.append(citation)
        unknown += [word for word in strange if word not in unknown]
    return {'citations': citations, 'unknown': unknown}
