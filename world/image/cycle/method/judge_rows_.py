def judge_rows_(self, form, rows, candidates):
    """`candidates`, and the texts of `rows` that are none of them, judged: [{'source', 'problem', 'count', 'likelihood'}].

    A text that is drawn again counts once more.
    """
    message = self.message
    found = {candidate['source']: candidate for candidate in candidates}
    for row in rows:
        source = self.source_of_(form, row['text'], message) if form != 'narrow' else row['text']
        if source in found:
            found[source]['count'] += 1
        elif source != message['previous']:
            trial = self.judge_(self.target, source, message)
            likelihood = 1.0 if row['logprob'] is None else 2.718281828 ** (row['logprob'] / max(row['tokens'], 1))
            found[source] = {'source': source, 'problem': trial['problem'], 'count': 1, 'likelihood': likelihood}
    return list(found.values())
