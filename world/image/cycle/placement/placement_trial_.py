def placement_trial_(self, task):
    """What the model likes best for one task of its placement: {"selector", "form", "solved", "tokens"}."""
    most = min(96, self.message['form_tokens'])
    message = dict(self.message)
    message.update(task)
    found = {'selector': task['selector'], 'form': 'open', 'solved': False, 'tokens': most}
    try:
        drawn = self.infer_(
            self._construct_architectural_covenant_prompt(message, 'open', []),
            grammar=self.open_grammar_(message, True),
            n=1,
            sampling={'temperature': 0.0, 'top_p': 1.0},
            max_tokens=most,
            scored=True,
            drawing={'round': 0, 'form': 'open'},
        )
    except SendFailed:
        return found  # a form that cannot be kept here is none to begin at
    if drawn:
        found['tokens'] = drawn[0]['tokens']
        found['solved'] = self.try_(self.source_of_('open', drawn[0]['text'], message), message) == ''
    return found
