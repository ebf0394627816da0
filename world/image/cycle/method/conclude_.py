def conclude_(self, source, origin, groups, doubts):
    """Install the chosen source where the mandate wants that, and leave in `learned` what is known of it.

    `origin` names the method that was adopted; `groups` are the candidates by behaviour, and `doubts` the inputs on which the
    groups do not do the same, as `compare_` tells them.
    """
    message = self.message
    reason = ''
    if message['is_dry']:
        reason = 'a dry run installs nothing'
    elif not message['is_sent'] and not message['examples']:
        reason = 'without an example nobody knows whether it is right'
    elif message['is_strict'] and doubts:
        reason = 'candidates that hold all examples do not agree'
    if not reason:
        sha256 = self.install_(self.target, source, origin)
    elif groups:
        sha256 = groups[0]['sha256']
    else:
        sha256 = self.judge_(self.target, source, message)['sha256']
    self.learned = {
        'source': source, 'sha256': sha256,
        'installed': not reason, 'reason': reason, 'origin': origin, 'groups': groups, 'doubts': doubts,
    }
    self._p_changed = True
