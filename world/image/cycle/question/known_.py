def known_(self, sources):
    """What was recalled, as a prompt begins with it; the nearest passages, as many as a small model can hold."""
    text = ''
    for source in sources:
        if len(text) + len(source['text']) < 1600:
            text += source['text'].strip() + '\n\n'
    return 'What is known:\n' + text if text else ''
