def candidate_sampling_(self, attempt):
    """How the candidates of an attempt (from 0) are drawn: the likeliest first, then bolder and bolder ones.

    Within a grammar a bold draw is still a method, and the answer of a small model is often not what it likes best.
    """
    n = 20
    sampling = [{'temperature': 0.4 + 1.4 * row / (n - 1), 'top_p': 0.98} for row in range(n)]
    if attempt == 0:
        sampling[0] = {'temperature': 0.0, 'top_p': 1.0}
    return {'n': n, 'sampling': sampling, 'max_tokens': 56, 'seed_offset': 1000 * attempt}
