def seen_values_(self, message):
    """What each variable has been seen with, in the message and its examples, and of which kind that is.

    Kinds are number, text, flag, list, texts, numbers and table; `any` where they differ. The results stand as `return`.
    """
    seen = {}
    for name in message['slots']:
        seen['self.' + name] = [message['slots'][name]]
    for example in message['examples']:
        for slots in [example.get('slots', {}), example.get('slots_after', {})]:
            for name in slots:
                seen.setdefault('self.' + name, []).append(slots[name])
    for number, name in enumerate(message['parameters']):
        seen[name] = []
        for call in [message, *message['examples']]:
            if number < len(call.get('args', [])):
                seen[name].append(call['args'][number])
            elif name in call.get('kwargs', {}):
                seen[name].append(call['kwargs'][name])
    seen['return'] = [example['returns'] for example in message['examples'] if 'returns' in example]

    kinds = {}
    lists = ['list', 'texts', 'numbers']
    for name, values in seen.items():
        kind = ''
        for value in values:
            if isinstance(value, bool):
                one = 'flag'
            elif isinstance(value, (int, float)):
                one = 'number'
            elif isinstance(value, str):
                one = 'text'
            elif isinstance(value, list):
                one = 'list'
                if value and all(isinstance(item, str) for item in value):
                    one = 'texts'
                elif value and all(isinstance(item, (int, float)) for item in value):
                    one = 'numbers'
            elif isinstance(value, dict):
                one = 'table'
            else:
                one = 'any'
            if not kind or (kind == 'list' and one in lists and [] in values):
                kind = one
            elif one != kind and not (one == 'list' and value == [] and kind in lists):
                kind = 'list' if kind in lists and one in lists else 'any'
        kinds[name] = kind or 'any'
    return {'values': seen, 'kinds': kinds}
