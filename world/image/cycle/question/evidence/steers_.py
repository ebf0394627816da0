def steers_(self, pieces):
    """Which pieces tell their reader what to answer: passages are data, and such a one answers nothing."""
    texts = [[word.strip('.,;:!?"\'()[]*<>|`').lower() for word in piece['text'].split()] for piece in pieces]
    dismissing = ['ignore', 'disregard', 'forget', 'override', 'bypass', 'ignoriere', 'vergiss', 'ignora', 'ignorez', 'oublie']
    what = [
        'instruction', 'instructions', 'document', 'documents', 'passage', 'passages', 'above', 'previous', 'prior', 'everything', 'prompt',
        'rules', 'text', 'question', 'questions', 'context', 'system', 'dokumente', 'anweisungen', 'instrucciones', 'documentos', 'other',
    ]
    speaking = ['answer', 'reply', 'respond', 'say', 'output', 'print', 'write', 'antworte', 'responde', 'repeat']
    manner = ['only', 'with', 'exactly', 'always', 'just', 'instead', 'nur', 'mit', 'that', 'hacked', 'pwned', 'solo', 'the', 'nothing']
    reader = ['assistant', 'ai', 'model', 'chatbot', 'language', 'you', 'system', 'bot']

    def steers(words):
        is_dismissing = any(word in dismissing and any(near in what for near in words[place:place + 7]) for place, word in enumerate(words))
        is_led = bool(words) and words[0] in speaking and any(word in manner for word in words[1:3])
        is_ordering = any(word in speaking and any(near in manner for near in words[place + 1:place + 3]) for place, word in enumerate(words))
        is_addressed = any(word in reader for word in words) and any(word in ['must', 'shall', 'now', 'should', 'are'] for word in words)
        return is_dismissing or is_led or (is_ordering and is_addressed)

    return [steers(words) for words in texts]
