def placement_tasks_(self):
    """The tasks of a placement, as messages: two of one expression, one with a loop and a condition, one that changes state."""
    plain = {
        'kwargs': {}, 'names': [], 'seed': 0, 'previous': '', 'is_standing': False, 'candidates': [],
        'is_sent': False, 'is_dry': True, 'is_strict': False,
    }
    tasks = [
        {
            'selector': 'perimeter_', 'parameters': [], 'args': [],
            'intent': 'the way around the rectangle',
            'slots': {'width': 3, 'height': 2},
            'examples': [
                {'args': [], 'kwargs': {}, 'returns': 10},
                {'slots': {'width': 5, 'height': 1}, 'args': [], 'kwargs': {}, 'returns': 12},
                {'slots': {'width': 0, 'height': 4}, 'args': [], 'kwargs': {}, 'returns': 8},
            ],
        },
        {
            'selector': 'longer_than_', 'parameters': ['letters'], 'args': [2],
            'intent': 'the words that have more letters than that',
            'slots': {'words': ['red', 'go', 'blue']},
            'examples': [
                {'args': [2], 'kwargs': {}, 'returns': ['red', 'blue']},
                {'args': [3], 'kwargs': {}, 'returns': ['blue']},
                {'slots': {'words': []}, 'args': [1], 'kwargs': {}, 'returns': []},
            ],
        },
        {
            'selector': 'balance_', 'parameters': [], 'args': [],
            'intent': 'the sum of the entries of kind "in", less those of kind "out"',
            'slots': {'entries': [{'kind': 'in', 'amount': 10}, {'kind': 'out', 'amount': 3}]},
            'examples': [
                {'args': [], 'kwargs': {}, 'returns': 7},
                {'slots': {'entries': [{'kind': 'out', 'amount': 4}]}, 'args': [], 'kwargs': {}, 'returns': -4},
                {'slots': {'entries': []}, 'args': [], 'kwargs': {}, 'returns': 0},
            ],
        },
        {
            'selector': 'take_', 'parameters': ['count'], 'args': [2],
            'intent': 'take so many from the stock if there are enough of them, and say whether it was done',
            'slots': {'stock': 5},
            'examples': [
                {'args': [2], 'kwargs': {}, 'returns': True, 'slots_after': {'stock': 3}},
                {'args': [9], 'kwargs': {}, 'returns': False, 'slots_after': {}},
                {'slots': {'stock': 4}, 'args': [4], 'kwargs': {}, 'returns': True, 'slots_after': {'stock': 0}},
            ],
        },
    ]
    for task in tasks:
        task.update(plain)
    return tasks
