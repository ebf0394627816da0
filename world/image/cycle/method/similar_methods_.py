def similar_methods_(self, message):
    """The source of one method of this world that was written for a message like this one, if memory knows any."""
    words = message['selector'].replace('_', ' ') + ' ' + ' '.join(list(message['slots'])[:12])
    hits = self.recall_(words, 5, {'kind': 'method'})
    sources = [hit['metadata']['source'] for hit in hits if hit['metadata']['selector'] != message['selector']]
    return [source for source in sources if len(source) <= 200 and 'infer_' not in source][:1]
