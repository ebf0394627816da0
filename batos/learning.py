"""What the learning of a method has come to."""

from __future__ import annotations

from typing import Any

import msgspec

from protocol.messages import Doubt, Example, Group, MandateReply, MethodMade


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """What `learn` came to. `groups` are the methods that hold the contract, by behaviour, the chosen one first.

    `reason` says why nothing is installed; with a `proposal`, the user has the last word on it. `replaced` are examples that a
    correction has taken out of the contract. Detached, nothing is known yet.
    """

    mandate: str
    cycle: str | None
    state: str
    method: MethodMade | None = None
    proposal: str | None = None
    doubts: list[Doubt] = []
    runner_up: Group | None = None
    groups: list[Group] = []
    replaced: list[Example] = []
    installed: bool = False
    reason: str = ""
    tid: str | None = None
    remembered: bool = False


def lesson_of(reply: MandateReply) -> Lesson:
    learned = reply.learned
    facts: dict[str, Any] = {}
    if learned is not None:
        facts = {
            "doubts": learned.doubts,
            "groups": learned.groups,
            "replaced": learned.replaced,
            "runner_up": learned.groups[1] if len(learned.groups) > 1 else None,
            "installed": learned.installed,
            "reason": learned.reason,
        }
    return Lesson(
        mandate=reply.mandate,
        cycle=reply.cycle,
        state=reply.state,
        method=reply.method,
        proposal=reply.proposal,
        tid=reply.tid if reply.proposal is not None or (learned is not None and learned.installed) else None,
        remembered=reply.remembered,
        **facts,
    )
