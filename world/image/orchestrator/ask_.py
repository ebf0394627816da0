def ask_(self, question, way='auto', thread=None, answers=False):
    """Answer a question by a cycle; what is none, of a few words that memory knows nothing about, at once.

    `way` is auto, plain or deep. `thread` is the object that keeps the conversation. With `answers` earlier answers are sources too.
    """
    if not question.strip():
        raise ValueError('the question is empty')
    turns = thread.turns if thread is not None else []
    is_said = '?' not in question and len(question.split()) <= 3
    if is_said and way == 'auto' and not turns and not self.recall_(question, 1):
        answer = self.infer_(question, grammar=self.prose_grammar_(2), sampling={'temperature': 0.2, 'top_p': 0.9}, max_tokens=300)
        found = {'answer': answer, 'facets': [], 'sources': [], 'bypassed': True}
    else:
        found = self._orc_start_cognitive_cycle_({
            'command': 'initiate_cognitive_cycle',
            'target_oid': self,
            'mission_brief': {'type': 'question', 'query': question, 'way': way, 'turns': turns[-3:], 'answers': answers},
        })
    if thread is not None:
        cited = [citation['doc_id'] for citation in found.get('citations', []) if 'doc_id' in citation]
        thread.keep_turn_({'question': question[:1000], 'answer': found['answer'][:2000], 'cited': list(dict.fromkeys(cited))})
    return found
