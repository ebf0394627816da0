def known_(self, sources, pieces, parts):
    """What was found, as a prompt begins with it: the passages, the nearest last, then the sentences that speak most of the question.

    Sentences that steer are left out: `pieces` have 'steers'. Of a long passage stands what is around its nearest piece.
    """
    nearest = {}
    for part in parts:
        for piece in part['evidence'][:3]:
            kept = nearest.get(piece['source'])
            if kept is None or kept['score'] < piece['score']:
                nearest[piece['source']] = piece
    order = sorted(range(len(sources)), key=lambda number: [-nearest[number]['score'] if number in nearest else 9.0, number])
    passages = []
    room = 1500
    for number in order[:4]:
        text = sources[number]['text'][:6000]
        for piece in [piece for piece in pieces if piece['source'] == number and piece['steers']]:
            text = text[:piece['start']] + ' ' * (piece['end'] - piece['start']) + text[piece['end']:]
        if len(text) > min(room, 900) and number in nearest:
            start = max(0, nearest[number]['start'] - 400)
            text = text[start:start + min(room, 900)]
        text = '\n'.join([line.strip() for line in text.split('\n') if line.strip()])
        if text and len(text) <= room:
            passages = [text, *passages]
            room -= len(text)
    lines = []
    for part in parts:
        lines += [piece['text'] for piece in part['evidence'][:2] if piece['text'] not in lines]
    told = 'What is known:\n' + '\n\n'.join(passages) + '\n\n' if passages else ''
    return told + 'To the point:\n' + '\n'.join(lines) + '\n\n' if lines else told
