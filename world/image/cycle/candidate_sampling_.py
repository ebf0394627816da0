def candidate_sampling_(self, round):
    return {'n': 8, 'sampling': [{'temperature': 0.8, 'top_p': 0.95}] * 8, 'max_tokens': 64, 'seed_offset': 100 * round}
