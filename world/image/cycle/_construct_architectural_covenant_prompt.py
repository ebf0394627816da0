def _construct_architectural_covenant_prompt(self, message, feedback):
    return [{'role': 'user', 'content': 'Write ' + message['selector'] + str(len(feedback))}]
