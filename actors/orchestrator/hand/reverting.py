"""`revert`: an earlier version of a method stands again, through the gates again, with the contract that it had."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from actors.orchestrator.hand import offering, proving
from actors.orchestrator.hand.rehearsing import rehearse
from actors.orchestrator.hand.splitting import Part
from actors.orchestrator.primitives.contracts import holding
from actors.orchestrator.primitives.judgement import memo_of
from actors.orchestrator.thinking import consent
from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.author import author_of
from actors.orchestrator.thinking.overlay import Overlay
from actors.orchestrator.thinking.thought import Thought
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import Revert
from world import history
from world import root as world_root
from world.history import UvmVersion
from world.method import UvmMethod

HINT = "What it stands on has changed since. Say --drop-contract: then it stands, and owes nothing any more."
LEAST = 4
"""Characters of a hash that may stand for it."""


def revert(thought: Thought, request: Revert) -> Thinking[Value]:
    """Let the version that is asked for stand on its object, in the overlay. UNKNOWN_METHOD, BAD_ARGUMENT, REFUSED."""
    overlay = thought.overlay
    oid = overlay.find(request.name)
    standing = overlay.own(oid).get(request.selector)
    found = history.versions(world_root.get(overlay.connection, oid), request.selector)
    if not found:
        raise _none(overlay, oid, request)
    method = _chosen(found, standing, request)
    done: Value = {"name": request.name, "oid": oid, "selector": request.selector, "sha256": method.sha256}
    if method is standing:
        return done
    consent.check_hand(thought, oid, request.name)
    if method.source is None:
        if not consent.may_install_by_hand(thought):
            raise _unproposed(request)
        overlay.write(oid, {request.selector: method})
        return done
    yield from proving.gated(thought, oid, [Part(method.source, 1)], "m.gates")
    draft = holding.draft_of(method, author_of(thought.origin))
    if request.drop_contract:
        draft = msgspec.structs.replace(draft, examples=[])
    draft = msgspec.structs.replace(draft, asked_by=consent.asked_by(thought))
    mark = overlay.push()
    overlay.write(oid, {request.selector: draft})
    if not request.drop_contract:
        yield from holding.holds(thought, oid, draft, f"m.{request.selector}", HINT)
        yield from holding.senders_hold(thought, oid, [draft], HINT)
    yield from rehearse(thought, oid)
    if not consent.may_install_by_hand(thought):
        overlay.restore(mark)
        raise offering.proposed(thought, oid, [draft], done)
    overlay.merge()
    if not overlay.is_kernel(oid):
        overlay.remember(memo_of(thought, oid, draft))
    return done


def _unproposed(request: Revert) -> BatosError:
    return BatosError(
        "LEARNING_DENIED",
        f"that version of {request.selector} is done by the system itself: it has no source that could wait for its user's word",
        f"Have its user do it: `batos revert {request.name} {request.selector}`.",
    )


def _chosen(found: Sequence[UvmVersion], standing: object, request: Revert) -> UvmMethod:
    """The version that is asked for; without a hash the last one that was other than what stands."""
    methods = [one.method for one in reversed(found) if one.method is not None]
    if request.to is None:
        now = standing if isinstance(standing, UvmMethod) else None
        earlier = [one for one in methods if now is None or (one.sha256, one.primitive) != (now.sha256, now.primitive)]
        if earlier:
            return earlier[0]
        raise BatosError(
            "BAD_ARGUMENT",
            f"{request.name}.{request.selector} has no earlier version",
            f"See those that are kept: `batos history {request.name} {request.selector}`.",
        )
    fitting = {one.sha256: one for one in reversed(methods) if one.sha256 is not None and _is(one.sha256, request.to)}
    if len(fitting) == 1:
        ((sha256, method),) = fitting.items()
        return standing if isinstance(standing, UvmMethod) and standing.sha256 == sha256 else method
    what = f"{len(fitting)} versions" if fitting else "no version"
    verb = "begin" if fitting else "begins"
    raise BatosError(
        "BAD_ARGUMENT",
        f"{what} of {request.name}.{request.selector} {verb} with {request.to[:64]!r}",
        f"Give {LEAST} characters or more of one of `batos history {request.name} {request.selector}`.",
    )


def _is(sha256: str, beginning: str) -> bool:
    return len(beginning) >= LEAST and sha256.startswith(beginning.lower())


def _none(overlay: Overlay, oid: str, request: Revert) -> BatosError:
    place = overlay.lookup(oid, request.selector)
    if place is not None:
        holder = overlay.name(place.holder) or place.holder
        return BatosError(
            "BAD_ARGUMENT",
            f"{request.name} has {request.selector} from {holder}, and never had one of its own",
            f"Revert it there: `batos revert {holder} {request.selector}`.",
        )
    return BatosError(
        "UNKNOWN_METHOD",
        f"{request.name} never had a method {request.selector}",
        f"See what it has and had: `batos history {request.name}`.",
    )
