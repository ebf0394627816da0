def _construct_architectural_covenant_prompt(self, message, form, failures, number=0):
    """What a model is asked that is to write the method of `message` in `form`, as turns of a conversation.

    In the narrow form a model goes on with a page of the house's methods; in the others it answers a request, which each
    round (`number`, from 0) puts in its own way. `failures` are the candidates that did not do, each with its problem.
    """
    if form == 'narrow':
        return self.continued_page_(message, self.shown_message_(message, 60), failures)
    return self.method_request_(message, self.shown_message_(message, 300), failures, number)
