def sources_(self, queries, cited, answers):
    """The passages that answer from what was told, nearest first; those of the documents that are `cited` before the others.

    What the mind itself has said, written or failed at is no source; with `answers` its answers come after what was told.
    """
    lists = []
    for query in queries:
        hits = self.recall_(query[:4000], 60)
        told = [hit for hit in hits if hit['metadata'].get('kind') not in ['answer', 'method', 'failure']]
        said = [hit for hit in hits if answers and hit['metadata'].get('kind') == 'answer']
        told = [hit for hit in told if hit['doc_id'] in cited] + [hit for hit in told if hit['doc_id'] not in cited]
        lists.append((told[:6] + said[:2])[:6])
    sources = []
    known = []
    for place in range(6):
        for hits in lists:
            if place < len(hits) and hits[place]['chunk_oid'] not in known and len(sources) < 8:
                known.append(hits[place]['chunk_oid'])
                sources.append(hits[place])
    return sources
