"""What `define` and `revert` come to where whoever asks may not install: the method is proposed, judged and tried as it is.

It waits like one that the mind has written, and its user accepts or rejects it in the same way. There is no message to go on with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from actors.orchestrator.thinking import consent
from actors.orchestrator.thinking.overlay import Draft, Offer
from actors.orchestrator.thinking.thought import Proposed, Thought
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import MethodMade
from world import history
from world.history import UvmProposal
from world.method import UvmMethod


def proposed(thought: Thought, oid: str, drafts: Sequence[Draft], result: Value) -> Proposed:
    """The end of such a mandate, with `result` as its answer. BAD_ARGUMENT where there are several methods."""
    if len(drafts) > 1:
        raise BatosError(
            "BAD_ARGUMENT",
            f"{len(drafts)} methods at once, and each waits for its user's word by itself",
            "Give one method at a time.",
        )
    (draft,) = drafts
    made = MethodMade(selector=draft.selector, sha256=draft.sha256, attempts=0, source=draft.source)
    waiting = _waiting(thought, oid, draft)
    if waiting is not None:
        thought.overlay.note(waiting)
        return Proposed(waiting.id, made, None, result=result)
    offer = _offer(thought, oid, draft)
    return Proposed(offer.id, made, None, offer, result)


def _offer(thought: Thought, oid: str, draft: Draft) -> Offer:
    standing = thought.overlay.own(oid).get(draft.selector)
    before = standing.source if isinstance(standing, UvmMethod) else None
    return Offer(
        id=hashlib.sha256(f"{thought.mandate} {thought.attempt} {draft.sha256}".encode()).hexdigest()[:16],
        target=oid,
        draft=draft,
        message={"args": [], "kwargs": {}, "is_sent": False, "examples": draft.examples, "intent": draft.intent},
        found={"cases": [], "result": None, "doubts": []},
        replaces=str(standing.sha256) if isinstance(standing, UvmMethod) and before is not None else "",
        attempt=thought.attempt,
        diff="" if before is None else consent.diff(draft.selector, before, draft.source),
    )


def _waiting(thought: Thought, oid: str, draft: Draft) -> UvmProposal | None:
    """The same method, where it waits already."""
    for one in history.proposed(thought.overlay.connection, oid, draft.selector):
        if one.state == history.WAITING and one.method.sha256 == draft.sha256:
            return one
    return None
