def choose_(self, passed):
    """The best of the candidates that hold all examples, by what they do on other inputs, with its groups and doubts.

    Each of `passed` has its 'source', how often it was drawn, and its 'likelihood'. 'is_rote': even the best one says nothing
    but what the examples say, so another round may bring forth a better one.
    """
    drawn = [
        {'source': one['source'], 'count': one['count'], 'weight': one['count'] * one['likelihood']} for one in passed
    ]
    compared = self.compare_(self.target, drawn, self.message)
    return {
        'source': compared['groups'][0]['source'],
        'groups': compared['groups'], 'doubts': compared['doubts'], 'is_rote': compared['is_rote'],
    }
