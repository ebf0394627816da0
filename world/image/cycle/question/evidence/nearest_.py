def nearest_(self, parts, sources):
    """The piece that comes nearest to a question which the passages do not answer, and where it stands; None where none is near.

    A document may say it in other words than the question, which its reader sees better than words can tell.
    """
    pieces = [piece for part in parts for piece in part['evidence'] if piece['near'] >= 0.3]
    if not pieces:
        return None
    piece = max(pieces, key=lambda each: each['score'])
    source = sources[piece['source']]
    place = {name: source[name] for name in ['doc_id', 'chunk_oid', 'chunk_index']}
    return {'text': piece['text'], 'start': piece['start'], 'end': piece['end'], **place}
