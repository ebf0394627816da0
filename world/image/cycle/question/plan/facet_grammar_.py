def facet_grammar_(self, message, pillar):
    """The form of a facet's method: a system prompt from the pillar's intent, and one call of the model with it.

    What is left to choose is how the prompt ends; a small model can do that, and cannot do it wrong.
    """
    slots = message['slots']
    prompt = (slots['mandate'] + ' ' + pillar['intent']).replace("'", "\\\\'")
    manner = "{'temperature': " + repr(pillar['temperature']) + ", 'top_p': " + repr(pillar['top_p']) + '}'
    head = f"def {message['selector']}(self, user_query):\\n    return self.infer_(user_query, system_prompt='{prompt} "
    tail = f"', adapter_name=self.expert, sampling={manner}, grammar=self.prose_grammar_(2), max_tokens=300)\\n"
    endings = [
        'Answer in at most two sentences.', 'Answer in one or two short sentences.', 'Use what is known, and be brief.',
        'Be brief, and stay with the question.', 'Say it in two sentences, in your own voice.',
    ]
    choices = ' | '.join([f'"{ending}"' for ending in endings])
    return f'%llguidance {{}}\nstart: "{head}" ENDING "{tail}"\nENDING: {choices}\n'
