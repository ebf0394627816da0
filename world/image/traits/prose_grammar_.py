def prose_grammar_(self, sentences):
    """The form of a text of at most so many whole sentences; so it ends where a sentence does, and never in one."""
    return f"""start: SENTENCE (" " SENTENCE){{0,{sentences - 1}}}
SENTENCE: /[^\\s.!?]([^.!?\\n]|[.!?][^\\s.!?]){{1,240}}[.!?]/
"""
