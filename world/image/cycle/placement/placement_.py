def placement_(self):
    """The rungs of the ladder on which a method of this message may be written, in the order in which they are tried.

    The first is the configured one, or the one on which the model that serves was placed; that is found once for a model, and
    kept beside it. A rung that fails hands over to the next; none hands over to the narrow form, which has no room for what
    a model that begins further up could not say there. Where no grammar binds the texts, they are free.
    """
    served = self.serving_()
    ladders = {'narrow': ['narrow', 'open'], 'open': ['open', 'free'], 'free': ['free', 'open']}
    first = self.message['form']
    if not served['grammars']:
        return ['free'] if first == 'auto' else [first] + [form for form in ['free'] if form != first]
    if first == 'auto':
        placement = served['placement']
        if not placement:
            placement = self.find_placement_()
            if not self.message['is_dry']:
                self.place_(served['digest'], placement)
        first = placement['form']
    return ladders[first]
