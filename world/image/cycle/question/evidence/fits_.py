def fits_(self, wanted, asked, texts):
    """How far each of `texts` has what kind of thing is `wanted`: 0.0, 0.5 where nothing is known of that, 1.0.

    `asked` are the words of the question; `texts` are {'text', 'words'} with the terms of the text. What the question says itself is no answer.
    """
    times = (
        'monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october '
        'november december noon midnight morning evening afternoon night spring summer autumn winter today tomorrow yesterday'
    ).split()
    spans = (
        "second seconds minute minutes hour hours day days week weeks month months year years o'clock am pm clock"
    ).split()
    reasons = ['because', 'since', 'so', 'due', 'reason', 'therefore', 'cause', 'caused', 'owing', 'otherwise', 'weil', 'da', 'denn']
    nothing = ['half', 'free', 'none', 'no', 'nothing', 'both', 'twice', 'once']

    def fit(text, words):
        shown = [[text[start:end], term] for term, start, end, content in words]
        new = [[word, term] for word, term in shown if term not in asked and word.lower() not in asked]
        is_numbered = any(word[0].isdigit() or term[0].isdigit() or word.lower() in nothing for word, term in new)
        kind = wanted['kinds'][0]
        if kind == 'number':
            return is_numbered
        if kind == 'unit':
            has_unit = any(word.lower() in wanted['units'] for word, term in shown) or any(sign in wanted['units'] and sign in text for sign in '€$£')
            return has_unit and (is_numbered or 'every' in wanted['units'])
        if kind in ['when', 'year']:
            years = [term for word, term in new if term[:4].isdigit() and '1' <= term[0] <= '2']
            is_dated = any(len(term) == 4 or '-' in term for term in years)
            is_timed = any(word.lower() in times or (':' in term and term[0].isdigit()) for word, term in new)
            is_counted = is_numbered and any(word.lower() in spans for word, term in shown)
            return is_dated or (kind == 'when' and (is_timed or is_counted))
        if kind == 'why':
            return ':' in text or any(word.lower() in reasons for word, term in shown)
        named = [text[start:start + 1].isupper() and term not in asked and content for term, start, end, content in words]
        return any(named)

    return [(1.0 if fit(text['text'], text['words']) else 0.0) if wanted['kinds'] else 0.5 for text in texts]
