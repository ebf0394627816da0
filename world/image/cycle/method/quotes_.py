def quotes_(self, source, message):
    """Whether a source holds the result of an example as a literal, as one does that has learned it by heart."""
    for example in message['examples']:
        if 'returns' not in example:
            continue
        try:
            result = repr(example['returns'])
        except (TypeError, ValueError):
            continue  # neither a reference nor a number of thousands of digits has a literal
        if source.endswith('return ' + result + '\n'):
            return True
        if len(result) > 1 and result not in ['True', 'False', 'None', '[]', '{}', "''"] and result in source:
            return True
    return False
