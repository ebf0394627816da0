def pillar_of_(self, message):
    """The pillar whose facet a message asks for, or None: a facet's method is written from its pillar's intent."""
    for pillar in message['slots'].get('pillars', []):
        if isinstance(pillar, dict) and pillar.get('facet') == message['selector']:
            return pillar
    return None
