def parts_of_(self, question):
    """The questions that a question is made of: `Who leads it, and since when?` has two. Where it is one, it alone."""
    asking = ['who', 'whom', 'whose', 'what', 'when', 'where', 'why', 'which', 'how', 'wer', 'wie', 'was', 'wann', 'wo', 'warum', 'welche']
    leading = ['in', 'from', 'for', 'to', 'at', 'by', 'with', 'of', 'on', 'since', 'under', 'until', 'also', 'then', 'about', 'after', 'before']
    joining = ['and', 'or', 'but', 'und', 'oder', 'also']
    words = question.split()
    cuts = [0]
    for place in range(2, len(words) - 1):
        is_joined = words[place].lower() in joining
        is_next = words[place - 1][-1] in '?;'
        follow = [word.lower().strip(',') for word in words[place + 1 if is_joined else place:][:2]]
        begins = follow and (follow[0] in asking or (len(follow) == 2 and follow[0] in leading and follow[1] in asking))
        if place - cuts[-1] >= 2 and begins and (is_joined or is_next):
            cuts.append(place)
    parts = []
    for start, end in zip(cuts, [*cuts[1:], len(words)]):
        said = words[start + 1:end] if start and words[start].lower() in joining else words[start:end]
        part = ' '.join(said).strip(' ,;')
        parts.append(part if part.endswith('?') or len(cuts) == 1 else part + '?')
    return parts[:4]
