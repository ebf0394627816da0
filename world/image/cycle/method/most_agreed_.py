def most_agreed_(self, passed):
    """The source whose outcome most others share, and of those the shortest."""
    best = None
    best_rank = None
    for candidate in passed:
        votes = len([other for other in passed if other['result'] == candidate['result']])
        rank = [-votes, len(candidate['source'])]
        if best_rank is None or rank < best_rank:
            best = candidate['source']
            best_rank = rank
    return best
