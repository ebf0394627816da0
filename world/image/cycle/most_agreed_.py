def most_agreed_(self, passed, message):
    """The source whose outcome most others share; then one that quotes no example's result; then the shortest."""
    quoted = [repr(example['returns']) for example in message['examples'] if 'returns' in example]
    best = None
    best_rank = None
    for candidate in passed:
        votes = len([other for other in passed if other['result'] == candidate['result']])
        source = candidate['source']
        quotes = len([text for text in quoted if len(text) > 1 and text in source])
        rank = [-votes, quotes, len(source)]
        if best_rank is None or rank < best_rank:
            best = source
            best_rank = rank
    return best
