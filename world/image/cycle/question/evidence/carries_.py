def carries_(self, part, answers):
    """How far each of `answers` says what the pieces nearest to a part of the question say of it, from 0.0 to 1.0.

    `part` is {'ask', 'evidence'}. What the question says itself does not count. Of a table's row count the cells whose heads are asked for, of a
    sentence the clauses that have words of the question: `adults pay 12, students 8` says of students that they pay 8.
    """
    evidence = part['evidence'][:3]
    wanted = self.wanted_(part['ask'])
    kind = wanted['kinds'][0] if wanted['kinds'] else ''
    lines = [part['ask']]
    counts = []
    for piece in evidence:
        is_row = ': ' in piece['text'] and '; ' in piece['text']
        cells = piece['text'].split('; ') if is_row else piece['text'].replace('; ', ', ').replace(', and ', ', ').split(', ')
        counts.append([len(cells), is_row])
        lines += cells
    said = self.terms_of_([*lines, *answers])
    asked = [term for term, start, end, content in said[0]]

    def values(text, words):
        is_counted = kind in ['number', 'unit', 'when'] and any(term[0].isdigit() for term, start, end, content in words if term not in asked)
        new = [[term, start, content] for term, start, end, content in words if term not in asked and content]
        if is_counted:
            return {term for term, start, content in new if term[0].isdigit()}
        if kind == 'who':
            return {term for term, start, content in new if text[start].isupper()}
        return {term for term, start, content in new}

    wants = []
    place = 1
    for count, is_row in counts:
        cells = [[lines[number], said[number]] for number in range(place, place + count)]
        place += count
        whole = cells
        if count > 1:
            marks = [text.find(':') if is_row else len(text) for text, words in cells]
            heads = []
            for cell, mark in zip(cells, marks):
                heads.append(len([1 for term, start, end, content in cell[1] if content and term in asked and start < mark]))
            near = [cell for cell, head in zip(cells, heads) if head and (is_row or head == max(heads))]
            cells = near if is_row or any(values(text, words) for text, words in near) else []
            cells = cells or whole
        wants.append({term for text, words in cells for term in values(text, words)})
    found = []
    for answer in said[len(lines):]:
        terms = {term for term, start, end, content in answer}
        best = 0.0
        for piece, want in zip(evidence, wants):
            loss = evidence[0]['score'] - piece['score']
            if loss <= 0.1 and want and piece['fit'] >= evidence[0]['fit']:
                shared = len(want & terms)
                enough = 2 * shared > len(want) if kind or len(want) < 4 else shared >= 2
                best = max(best, (1.0 if enough else 0.0) - loss)
        found.append(best)
    return found
