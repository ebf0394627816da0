"""`accept` and `reject`: the user's word on a method that was proposed.

Accepting publishes as a cycle does. Nothing is believed that was found out when the method was proposed: it is judged and tried
again in the world as it is now, also on what a method owes that has come to stand in its place, and on what the senders of its
message owe. Where it fails, it goes on to wait.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
from ZODB.Connection import Connection
from ZODB.POSException import POSKeyError

from actors.orchestrator.primitives import trials
from actors.orchestrator.primitives.contracts import holding
from actors.orchestrator.primitives.judgement import Asked, memo_of, problem_of
from actors.orchestrator.thinking import consent
from actors.orchestrator.thinking.asks import Thinking, call
from actors.orchestrator.thinking.author import author_of
from actors.orchestrator.thinking.overlay import Draft, Overlay, Settled
from actors.orchestrator.thinking.thought import Thought
from protocol import codec, verbs
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.messages import Accept, Mandate, Reject, Trial
from world import history
from world import root as world_root
from world.history import UvmProposal
from world.method import UvmMethod, digest
from world.values import oid_of, plain


def accept(thought: Thought, request: Accept) -> Thinking[Value]:
    """Let the proposed method stand on its object, in the overlay. UNKNOWN_PROPOSAL, SETTLED, REFUSED."""
    overlay = thought.overlay
    proposal = _waiting(overlay, request.id)
    oid = oid_of(proposal.target)
    standing = overlay.own(oid).get(proposal.method.selector)
    draft = holding.draft_of(proposal.method, proposal.method.author)
    if isinstance(standing, UvmMethod):
        draft = _owing(draft, standing, _owed_then(overlay.connection, oid, proposal))
    if digest(draft.source) != proposal.method.sha256:
        raise BatosError("DAMAGED", f"the source of the proposal {request.id} is not what it was", "Reject it.")
    yield from _tried(thought, oid, draft, proposal)
    if not _is_that(draft, standing):
        overlay.push()
        overlay.write(oid, {draft.selector: draft})
        if isinstance(standing, UvmMethod):
            yield from holding.senders_hold(thought, oid, [draft], _hint(proposal))
        overlay.merge()
        overlay.remember(memo_of(thought, oid, draft))
    overlay.settle(request.id, Settled(state=history.ACCEPTED, by=author_of(thought.origin)))
    sends = request.send and consent.is_sent(codec.unpack(proposal.body, Mandate))
    return {
        **_told(overlay, proposal),
        "moved": has_moved(overlay.connection, proposal),
        "mandate": proposal.mandate,
        "sends": proposal.mandate if sends else None,
    }


def reject(thought: Thought, request: Reject) -> Value:
    """Refuse a proposed method, and keep the reason. UNKNOWN_PROPOSAL, SETTLED."""
    overlay = thought.overlay
    proposal = _waiting(overlay, request.id)
    because = request.because.strip()
    overlay.settle(request.id, Settled(state=history.REJECTED, by=author_of(thought.origin), because=because))
    return {**_told(overlay, proposal), "because": because}


def find(connection: Connection, id_: str) -> UvmProposal:
    """The proposal whose id is, or alone begins with, `id_`; those that wait come first. UNKNOWN_PROPOSAL."""
    tree: Any = connection.root()["proposals"]
    found = [one for key, one in tree.items(min=id_) if key.startswith(id_)] if id_ else []
    fitting = [one for one in found if one.state == history.WAITING] or found
    fitting = [tree[id_]] if id_ in tree else fitting
    if len(fitting) == 1:
        (one,) = fitting
        return cast("UvmProposal", one)
    what = f"{len(fitting)} proposals begin with" if fitting else "no proposal is called"
    raise BatosError("UNKNOWN_PROPOSAL", f"{what} {id_[:40]!r}", "List them: `batos proposals`.")


def has_moved(connection: Connection, proposal: UvmProposal) -> bool:
    """Whether anything that was read for the proposal has changed since."""
    return any(_serial(connection, oid) != serial for oid, serial in proposal.reads.items())


def dropped(connection: Connection, proposal: UvmProposal) -> list[Value]:
    """What the method owes that stands in the proposal's place, and the proposed one would not: its user is to know."""
    standing = proposal.target._slots.get(proposal.method.selector)
    if proposal.state != history.WAITING or not isinstance(standing, UvmMethod):
        return []
    then = _owed_then(connection, oid_of(proposal.target), proposal)
    owing = _owing(holding.draft_of(proposal.method, ""), standing, then).examples
    return [old for old in holding.contract(standing) if not any(_is_kept(old, new) for new in owing)]


def _is_kept(old: Value, new: Value) -> bool:
    """Whether the example `new` asks for the same as `old`; it may hold more slots, those that another source reads."""
    was, now = holding.example_of(old), holding.example_of(new)
    if any(name not in now.slots for name in was.slots):
        return False
    same = msgspec.structs.replace(now, slots={name: now.slots[name] for name in was.slots}, objects=was.objects)
    return codec.pack(same) == codec.pack(was)


def _waiting(overlay: Overlay, id_: str) -> UvmProposal:
    proposal = find(overlay.connection, id_)
    overlay.note(proposal)
    if proposal.state != history.WAITING:
        because = f": {proposal.because}" if proposal.because else ""
        raise BatosError(
            "SETTLED",
            f"{proposal.by} has {proposal.state} the proposal {id_} already{because}",
            "See what waits: `batos proposals`.",
            state=proposal.state,
        )
    return proposal


def _hint(proposal: UvmProposal) -> str:
    return f"It goes on to wait. Reject it: `batos reject {proposal.id} --because TEXT`, and send the message again."


def _is_that(draft: Draft, standing: object) -> bool:
    """Whether the very method stands already, with all that it owes."""
    if not isinstance(standing, UvmMethod) or standing.sha256 != draft.sha256:
        return False
    return codec.packed(holding.contract(standing)) == codec.packed(draft.examples)


def _owed_then(connection: Connection, oid: str, proposal: UvmProposal) -> list[Value]:
    """What was owed by the method that the proposal is to replace: whoever proposed it has looked after that."""
    versions = history.versions(world_root.get(connection, oid), proposal.method.selector)
    then = next((one.method for one in reversed(versions) if one.time <= proposal.made), None)
    return holding.contract(then) if then is not None and then.sha256 == proposal.replaces else []


def _owing(draft: Draft, standing: UvmMethod, known: list[Value]) -> Draft:
    """The method with what one owes by now, beyond what is `known`, that stands in its place."""
    mine = {codec.packed(example) for example in (*draft.examples, *known)}
    more = [example for example in holding.contract(standing) if codec.packed(example) not in mine]
    return msgspec.structs.replace(draft, examples=[*draft.examples, *more])


def _tried(thought: Thought, oid: str, draft: Draft, proposal: UvmProposal) -> Thinking[None]:
    """REFUSED where the method does not pass the gates, its examples, or the message that it was written for."""
    message = plain(proposal.message, _unseen)
    asked = Asked(
        args=message["args"],
        kwargs=message["kwargs"],
        examples=[holding.example_of(example) for example in draft.examples],
        is_sent=message["is_sent"],
        selector=draft.selector,
    )
    trial = Trial(
        source=draft.source,
        receiver=Ref(oid),
        slots=thought.overlay.visible(oid, kernel=False),
        args=asked.args,
        kwargs=asked.kwargs,
        examples=asked.examples,
        is_sent=asked.is_sent,
    )
    tried = yield from call(verbs.TRIAL, trial, path="m.trial", keep=True)
    tried, _ = yield from trials.complete(thought, trial, tried, draft, "m.trial")
    if problem := problem_of(tried, asked):
        moved = ", in a world that has changed since" if has_moved(thought.overlay.connection, proposal) else ""
        raise BatosError(
            "REFUSED",
            f"{draft.selector} does not hold any more{moved}: {problem}",
            _hint(proposal),
            proposal=proposal.id,
        )


def _told(overlay: Overlay, proposal: UvmProposal) -> dict[str, Value]:
    oid = oid_of(proposal.target)
    return {
        "id": proposal.id,
        "name": overlay.name(oid) or oid,
        "oid": oid,
        "selector": proposal.method.selector,
        "sha256": proposal.method.sha256,
    }


def _serial(connection: Connection, oid: str) -> bytes | None:
    try:
        read: Any = connection.get(bytes.fromhex(oid))
        read._p_activate()
    except POSKeyError:
        return None
    serial: bytes = read._p_serial
    return serial


def _unseen(_: object) -> None:
    """The proposal itself counts as read, and nothing else of it changes."""
