def asked_(self, query):
    """What a lane is asked: the passages, what was said before, the question as it was put, and the part of it that is the lane's."""
    data = self._tmp_synthesis_data
    question = self.mission_brief['query']
    text = data['known']
    for turn in self.mission_brief.get('turns', [])[-2:]:
        text += 'Before, it was asked: ' + turn['question'][:300] + '\nThe answer was: ' + turn['answer'][:300] + '\n\n'
    if query != question:
        text += 'The whole question is: ' + question + '\n'
    # A small model that is only asked begins to repeat the text; one that is told to answer from it answers.
    return text + ('From this text, answer the question: ' if data['known'] else '') + query
