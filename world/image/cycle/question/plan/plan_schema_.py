def plan_schema_(self, shortlist, most):
    """The form of a plan: two to `most` steps, each with a facet and its question.

    The shortlist is dealt out to the steps like cards, so that no facet can come twice and the nearest come first. What a facet is asked
    must look like a question, or a small model repeats its instructions there.
    """
    most = min(most, len(shortlist))
    steps = []
    for number in range(most):
        facets = [item['pillar']['facet'] for item in shortlist[number::most]]
        steps.append({
            'type': 'object',
            'properties': {'facet': {'enum': facets}, 'query': {'type': 'string', 'pattern': '^[^"{}:?\\\\\n]{8,100}[?]$'}},
            'required': ['facet', 'query'],
            'additionalProperties': False,
        })
    plan = {'type': 'array', 'prefixItems': steps, 'items': False, 'minItems': min(2, most), 'maxItems': most}
    return {'type': 'object', 'properties': {'steps': plan}, 'required': ['steps'], 'additionalProperties': False}
