def _doesNotUnderstand_(self, selector, args, kwargs):
    return self._orc_start_cognitive_cycle_({
        'command': 'initiate_cognitive_cycle',
        'target_oid': self,
        'mission_brief': {'type': 'unhandled_message', 'selector': selector, 'args': args, 'kwargs': kwargs},
    })
