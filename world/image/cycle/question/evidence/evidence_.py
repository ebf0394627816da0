def evidence_(self, question, before, pieces, sources):
    """The pieces that speak most of a question, best first: {…, 'score', 'fit', 'missing', 'words'}.

    A word of the question counts by how rare it is among the pieces; one that stands in the sentence before, elsewhere in the passage or
    in the document counts less. `before` are the words of the conversation. `missing`: the share of the question of which the document
    has no word.
    """
    if not pieces:
        return []
    said = [question, before, self.common_words_(), *[piece['text'] for piece in pieces], *[source['doc_id'].split('/')[-1] for source in sources]]
    said = self.terms_of_(said + [source['text'][:6000] for source in sources])
    terms = [[term for term, start, end, content in words if content] for words in said]
    asked = list(dict.fromkeys(terms[0]))
    context = [term for term in dict.fromkeys(terms[1]) if term not in asked]
    common = terms[2]
    own = [set(words) for words in terms[3:3 + len(pieces)]]
    names = terms[3 + len(pieces):3 + len(pieces) + len(sources)]
    whole = [set(words) for words in terms[3 + len(pieces) + len(sources):]]
    documents = {}
    for source, name, words in zip(sources, names, whole):
        documents[source['doc_id']] = documents.get(source['doc_id'], set()) | words | set(name)
    wanted = self.wanted_(question)
    focus = [term for words in self.terms_of_([wanted['focus']]) for term, start, end, content in words]
    rarity = {}
    for term in asked + context:
        seen = len([1 for words in own if term in words])
        weight = math.log(1 + len(own) / (0.5 + seen)) * (1.0 if term in asked else 0.5)
        rarity[term] = weight * (2.0 if term in focus and term not in common else 1.0)
    total = sum(rarity.values()) or 1.0
    words = [{'text': piece['text'], 'words': said[3 + place]} for place, piece in enumerate(pieces)]
    fits = self.fits_(wanted, [term for term, start, end, content in said[0]], words)
    pronouns = ['it', 'its', 'they', 'them', 'their', 'he', 'she', 'his', 'her', 'this', 'that', 'these', 'those', 'there']
    found = []
    for place, piece in enumerate(pieces):
        is_led = place > 0 and pieces[place - 1]['source'] == piece['source']
        leader = own[place - 1] if is_led else set()
        is_answer = is_led and pieces[place - 1]['text'].endswith('?')
        led = 1.0 if is_answer else 0.8 if piece['text'].split()[0].lower() in pronouns else 0.5
        document = documents[sources[piece['source']]['doc_id']]
        score = 0.0
        lacking = []
        for term, weight in rarity.items():
            near = 0.35 if term in whole[piece['source']] else 0.25 if term in document else 0.0
            level = 1.0 if term in own[place] else led if term in leader else near
            score += weight * level
            if not level and term in asked and not (fits[place] > 0.5 and term in [*common, 'cost']):
                lacking.append([term, weight * (0.3 if term in common else 1.0) / total])
        if not piece['text'].endswith('?'):
            is_short = len(own[place]) < 3 and not any(letter.isdigit() for letter in piece['text'])
            score = score / total + 0.5 * fits[place] - (0.25 if is_short else 0.0)
            missing = sum([share for term, share in lacking])
            found.append({**piece, 'score': score, 'fit': fits[place], 'missing': missing, 'lacking': lacking, 'words': sorted(own[place])})
    found = sorted(found, key=lambda piece: -piece['score'])[:32]
    nearness = self.rank_((question + ' ' + before).strip()[:500], [piece['text'][:500] for piece in found])
    for piece, near in zip(found, nearness):
        piece['score'] += 0.5 * near
        piece['near'] = near
    return sorted(found, key=lambda piece: -piece['score'])[:8]
