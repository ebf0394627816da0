def candidate_sampling_(self, form, attempt, most):
    """How the candidates of an attempt (from 0) are drawn: the likeliest first, then bolder ones, of at most `most` tokens.

    'portions' are drawn one after the other, each only where those before it leave the choice unsafe: the likeliest text by
    itself, so that it is soon judged, then a few, then the rest. A narrow form is drawn many times and boldly: within it a bold
    draw is still a method, and the answer of a small model is often not what it likes best. In a wide form a text is long, so
    that few are drawn before more are.
    """
    if form == 'narrow':
        n = 20
        sampling = [{'temperature': 0.4 + 1.4 * row / (n - 1), 'top_p': 0.98} for row in range(n)]
    else:
        n = [4, 8, 4][min(attempt, 2)]
        sampling = [{'temperature': 0.5 + 0.5 * row / n, 'top_p': 0.95} for row in range(n)]
    portions = [sampling]
    if attempt == 0:
        portions = [[{'temperature': 0.0, 'top_p': 1.0}], sampling[1:8], sampling[8:]]
    # The free form is asked as the open one is: with the same seeds it would say the same again.
    offset = 1000 * attempt + (500 if form == 'free' else 0)
    return {
        'portions': [portion for portion in portions if portion],
        'max_tokens': 56 if form == 'narrow' else most, 'seed_offset': offset,
    }
