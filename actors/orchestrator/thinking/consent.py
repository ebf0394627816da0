"""Whether the mind may write a method, and what it does where the user has the last word: it proposes the method.

An object says so itself, or the nearest parent that does (`_learning`), or else the configuration. No method meets that slot;
it is read here, and counts as read. A method that is owed nothing (no example, no pillar) is proposed wherever it stands, since
nobody has said what it must do.

So is every method where whoever asks may not install, whatever the objects say. Only a persona's facet, which a question needs on
its way, is written for that one mandate then, and goes with it: nothing of it lasts, so there is nothing to consent to.
"""

from __future__ import annotations

import difflib
import hashlib
from typing import Final

import msgspec

from actors.orchestrator.thinking.overlay import Draft, Offer, Overlay
from actors.orchestrator.thinking.thought import Contract, Proposed, RunningCycle, Thought
from protocol import codec, names
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.examples import example_value
from protocol.messages import Done, Effect, Learned, Mandate, MethodMade, Outcome
from protocol.origin import Origin, may, not_allowed
from world import history
from world.history import UvmProposal
from world.method import UvmMethod
from world.values import plain

REASON: Final = "it waits for its user's word"
TOLD: Final = 3
"""Rejections that whoever writes the method again is told of, the last ones."""


def learning(overlay: Overlay, oid: str, default: str) -> str:
    """`auto`, `propose` or `deny`: what the mind may do on the object. Kernel objects are the user's alone."""
    if overlay.is_kernel(oid):
        return names.DENY
    place = overlay.lookup(oid, names.LEARNING)
    if place is None:
        return default
    return place.value if place.value in names.LEARNINGS else names.DENY


def check(thought: Thought, oid: str, selector: str, given: Value) -> None:
    """Before a cycle begins: LEARNING_DENIED where it may come to nothing, Proposed where its method waits already.

    `given` are the message's arguments: what is to be tried again one day must be there then.
    """
    overlay = thought.overlay
    if learning(overlay, oid, thought.limits.learning) == names.DENY:
        raise _denied(overlay, oid, selector)
    contract = _contract(thought, oid, selector)
    if may_install(thought, oid, selector) or is_passing(thought, oid, selector):
        return
    if thought.origin is not None and not may(thought.origin, "propose"):
        what = f"having {selector} written for {overlay.name(oid) or oid}, which does not understand it,"
        raise not_allowed(thought.origin, "propose", what)
    if _lasting(overlay, [Ref(oid), given]) != [Ref(oid), given]:
        raise BatosError(
            "LEARNING_DENIED",
            f"the receiver of {selector}, or an argument, is made by this very message, so that its method could not wait",
            f"Have {selector} learned before: `batos learn`, by a parent of what is made.",
        )
    if contract.learn is None:
        _check_waiting(thought, oid, selector, contract)


def may_install(thought: Thought, oid: str, selector: str) -> bool:
    """Whether a method that the mind has written may stand on the object without its user's word."""
    if not may(thought.origin, "install") or learning(thought.overlay, oid, thought.limits.learning) != names.AUTO:
        return False
    return bool(_contract(thought, oid, selector).examples) or _is_facet(thought.overlay, oid, selector)


def is_passing(thought: Thought, oid: str, selector: str) -> bool:
    """Whether the method is a facet that whoever asks may have written for this mandate alone."""
    if may(thought.origin, "install") or learning(thought.overlay, oid, thought.limits.learning) != names.AUTO:
        return False
    return _contract(thought, oid, selector).learn is None and _is_facet(thought.overlay, oid, selector)


def may_install_by_hand(thought: Thought) -> bool:
    """Whether a method that was written by hand may stand without its user's word."""
    return may(thought.origin, "install")


def check_hand(thought: Thought, oid: str, name: str) -> None:
    """LEARNING_DENIED where whoever asks may only propose, and the object takes no proposal of a method."""
    if may_install_by_hand(thought) or learning(thought.overlay, oid, thought.limits.learning) != names.DENY:
        return
    raise BatosError(
        "LEARNING_DENIED",
        f"{name} takes methods from its user alone",
        f"Have its user write it: `batos define {name} FILE`.",
    )


def check_change(thought: Thought, oid: str) -> None:
    """NOT_ALLOWED where a message would change an object of the mind's own, a persona for one, for who may not install."""
    origin, overlay = thought.origin, thought.overlay
    if origin is None or may(origin, "install") or thought.trial is not None or overlay.is_fresh(oid):
        return  # what a trial changes lasts no longer than that
    name = overlay.name(oid)
    if overlay.is_kernel(oid) or name in overlay.connection.root()["personas"]:
        raise not_allowed(origin, "install", f"changing {name or oid}, which is the mind's own,")


def asked_by(thought: Thought) -> str:
    """Who has asked for a method, as it is kept with it."""
    return "" if thought.origin is None else thought.origin.label


def asker(proposal: UvmProposal) -> Origin | None:
    """Who has asked for what is proposed; None is the user of the home."""
    return None if proposal.asker is None else codec.unpack(proposal.asker, Origin)


def is_sent(mandate: Mandate) -> bool:
    """Whether there is a message that goes on once a method is accepted: none where that method was all that was wanted."""
    return mandate.learn is None and mandate.hand is None


def asked(thought: Thought, oid: str, selector: str) -> tuple[str, str]:
    """The intent of a method, with why earlier ones were rejected, and the source of the one that is to be bettered."""
    contract = _contract(thought, oid, selector)
    if thought.overlay.is_fresh(oid):
        return contract.intent, contract.previous
    proposals = history.proposed(thought.overlay.connection, oid, selector)
    rejected = [one for one in proposals if one.state == history.REJECTED][-TOLD:]
    reasons = [" ".join(one.because.split()) for one in rejected if one.because]
    told = f"not what was rejected before: {'; '.join(reasons)}" if reasons else ""
    intent = f"{contract.intent} ({told})" if contract.intent and told else contract.intent or told
    last = rejected[-1].method.source if rejected else None
    return intent, contract.previous or last or ""


def offered(thought: Thought, running: RunningCycle, draft: Draft, message: dict[str, Value]) -> Offer:
    """The proposal of `draft`, which the cycle would have installed; `message` is what it was written for."""
    learned = thought.overlay.own(running.context).get("learned")
    contract = _contract(thought, running.target, running.selector)
    standing = thought.overlay.own(running.target).get(running.selector)
    before = standing.source if isinstance(standing, UvmMethod) else None
    replaces = str(standing.sha256) if isinstance(standing, UvmMethod) and before is not None else ""
    tried = running.tried.get(draft.sha256)
    return Offer(
        id=hashlib.sha256(f"{running.cycle} {thought.attempt} {draft.sha256}".encode()).hexdigest()[:16],
        target=running.target,
        draft=draft,
        message={**message, "is_sent": contract.learn is None, **_owed(contract)},
        found={
            "cases": [msgspec.to_builtins(case) for case in tried.cases] if tried else [],
            "result": _lasting(thought.overlay, outcome(tried.outcome)) if tried else None,
            "doubts": _lasting(thought.overlay, learned.get("doubts", []) if isinstance(learned, dict) else []),
        },
        replaces=replaces,
        attempt=thought.attempt,
        diff="" if before is None else diff(running.selector, before, draft.source),
    )


def outcome(found: Outcome | None) -> Value:
    """What the original message would do, as candidates are compared by it, and a person is told it."""
    match found:
        case Done() as done:
            return {"returns": done.result, "changed": done.changed, "removed": done.removed}
        case Effect() as effect:
            return {"sends": effect.send.selector, "to": effect.send.receiver}
        case _:
            return None


def _lasting(overlay: Overlay, value: Value) -> Value:
    """`value` without references to what the mandate itself has made, which goes with it."""
    if isinstance(value, Ref):
        return {"a new object": {}} if overlay.is_fresh(value.oid) else value
    if isinstance(value, list):
        return [_lasting(overlay, item) for item in value]
    if isinstance(value, dict):
        return {key: _lasting(overlay, item) for key, item in value.items()}
    return value


def _check_waiting(thought: Thought, oid: str, selector: str, contract: Contract) -> None:
    """Nobody writes a method anew while one waits for which the same was asked."""
    owed = codec.packed(_owed(contract))
    for one in history.proposed(thought.overlay.connection, oid, selector):
        known = {name: plain(one.message[name], _unseen) for name in ("examples", "intent")}
        if one.state == history.WAITING and codec.packed(known) == owed:
            thought.overlay.note(one)
            raise _waiting(one)


def _waiting(one: UvmProposal) -> Proposed:
    method = one.method
    source, sha256 = str(method.source), str(method.sha256)
    learned = {
        "source": source,
        "sha256": sha256,
        "installed": False,
        "reason": REASON,
        "origin": method.origin,
        "doubts": plain(one.found["doubts"], _unseen),
    }
    made = MethodMade(selector=method.selector, sha256=sha256, attempts=0, source=source, origin=method.origin)
    return Proposed(one.id, made, codec.convert(learned, Learned))


def _owed(contract: Contract) -> dict[str, Value]:
    return {"examples": [example_value(example) for example in contract.examples], "intent": contract.intent}


def _contract(thought: Thought, oid: str, selector: str) -> Contract:
    return thought.contracts.get((oid, selector)) or Contract([], [])


def _is_facet(overlay: Overlay, oid: str, selector: str) -> bool:
    """Whether it is a persona's facet: what such a method owes, its pillar says."""
    if not overlay.name(oid) or overlay.name(oid) not in overlay.connection.root()["personas"]:
        return False
    pillars = overlay.own(oid).get("pillars")
    return isinstance(pillars, list) and any(
        isinstance(pillar, dict) and pillar.get("facet") == selector for pillar in pillars
    )


def _denied(overlay: Overlay, oid: str, selector: str) -> BatosError:
    name = overlay.name(oid) or oid
    place = None if overlay.is_kernel(oid) else overlay.lookup(oid, names.LEARNING)
    allow = f"; or let the mind propose one: `batos set {name} {names.LEARNING}=propose`"
    if overlay.is_kernel(oid):
        why, allow = "it is the system's own", ""
    elif place is None:
        why = 'learning = "deny" stands under [orchestrator] in batos.toml'
    else:
        why = f"{overlay.name(place.holder) or place.holder} has {names.LEARNING} = deny"
    return BatosError(
        "LEARNING_DENIED",
        f"{name} does not understand {selector}, and the mind may write no method on it: {why}",
        f"Write the method yourself: `batos define {name} FILE`{allow}.",
    )


def diff(selector: str, before: str, after: str) -> str:
    """How one source becomes the other, as people read it."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{selector} as it stands", f"{selector} as proposed", lineterm="", n=2
    )
    return "\n".join(lines)


def _unseen(_: object) -> None:
    """What is kept of a proposal never changes, but for how it is settled; that is noted by itself."""
