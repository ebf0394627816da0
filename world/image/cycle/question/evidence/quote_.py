def quote_(self, parts):
    """The answer in the passages' own words: the piece that speaks most of each part, and the next one where it is about as near."""
    quoted = []
    for part in parts:
        chosen = part['evidence'][:1]
        chosen += [piece for piece in part['evidence'][1:2] if piece['score'] > chosen[0]['score'] - 0.15]
        for piece in sorted(chosen, key=lambda piece: [piece['source'], piece['start']]):
            text = piece['text'].strip()
            text = text if text[-1] in '.!?。！？' else text + '.'
            if text not in quoted:
                quoted.append(text)
    return ' '.join(quoted)
