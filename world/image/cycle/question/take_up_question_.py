def take_up_question_(self):
    """Find what was told about the question, and choose the way: plain for one question, deep for several or for what is none."""
    mission = self.mission_brief
    question = mission['query']
    turns = mission.get('turns', [])
    parts = self.parts_of_(question)
    words = [word.strip('?,.!;:').lower() for word in question.split()]
    pronouns = (
        'it its they them their he she his her him this that these those there one ones then so same'
    ).split()
    is_short = len(words) < 4 or words[0] in ['and', 'but', 'or', 'so', 'also']
    refers = bool(turns) and (is_short or any(word in pronouns for word in words))
    before = ' '.join([turn['question'] for turn in turns[-3:]]) if refers else ''
    befores = [before if not number else parts[number - 1] + ' ' + before for number in range(len(parts))]
    queries = [(part + ' ' + said).strip() for part, said in zip(parts, befores)]
    cited = turns[-1]['cited'] if refers else []
    sources = self.sources_(queries if len(parts) < 2 else [*queries, question], cited, mission.get('answers', False))
    pieces = self.pieces_of_(sources)
    pieces = [{**piece, 'steers': steers} for piece, steers in zip(pieces, self.steers_(pieces))]
    sound = [piece for piece in pieces if not piece['steers']]
    known = []
    for part, said in zip(parts, befores):
        known.append({'ask': part, 'evidence': self.evidence_(part, said, sound, sources)})
    asking = 'who whom whose what when where why which how is are was were do does did can could will would should has have had may must'
    is_asked = question.strip()[-1] in '?？' or words[0] in asking.split()
    for part in known:
        part['is_told'] = self.grounds_(part)
    is_told = any(part['is_told'] for part in known)
    # Where nobody has told anything, there is nothing that could fail to say it.
    is_bare = not sources and not any(self.recall_('', 1, {'kind': kind}) for kind in ['document', 'note'])
    way = mission.get('way', 'auto')
    data = self._tmp_synthesis_data
    data['sources'] = sources
    data['pieces'] = pieces
    data['parts'] = known
    data['known'] = self.known_(sources, pieces, [part for part in known if part['is_told']] or known)
    data['is_refused'] = is_asked and not is_told and not is_bare
    data['way'] = way if way != 'auto' else 'plain' if is_asked and len(parts) < 2 and not is_bare else 'deep'
    data['dropped'] = []
    data['lanes'] = []
    self._tmp_synthesis_data = data
    self._p_changed = True
