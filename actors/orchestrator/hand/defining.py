"""`define`: methods that a person has written stand on an object, all of a source or none."""

from __future__ import annotations

from typing import Final

import msgspec

from actors.orchestrator.hand import offering, proving
from actors.orchestrator.hand.rehearsing import rehearse
from actors.orchestrator.hand.splitting import split
from actors.orchestrator.primitives.contracts import holding
from actors.orchestrator.primitives.judgement import memo_of
from actors.orchestrator.thinking import consent
from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.author import author_of
from actors.orchestrator.thinking.overlay import Draft
from actors.orchestrator.thinking.thought import Thought
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import Define, DefinedMethod
from world.method import UvmMethod

MAX_METHODS: Final = 100
HINT: Final = "Mend the method, or say --drop-contract: then it owes nothing any more."


def define(thought: Thought, request: Define) -> Thinking[Value]:
    """Put the methods of `request.source` on their object, in the overlay. REFUSED, CONFLICT, UNKNOWN_OBJECT, BAD_ARGUMENT."""
    overlay = thought.overlay
    oid = overlay.find(request.name)
    parts = split(request.source)
    if not 0 < len(parts) <= MAX_METHODS:
        raise BatosError(
            "BAD_ARGUMENT",
            f"the source has {len(parts)} methods" if parts else "the source is empty",
            f"Give 1 to {MAX_METHODS} methods, such as: def area_(self): return self.width * self.height",
        )
    consent.check_hand(thought, oid, request.name)
    methods = yield from proving.gated(thought, oid, parts, "m.gates")
    _check_once(methods)
    standing = {name: value for name, value in overlay.own(oid).items() if isinstance(value, UvmMethod)}
    if request.replaces is not None:
        _check_replaces(request, methods, standing)
    drafts = [
        _draft(thought, method, standing.get(method.selector), drop=request.drop_contract)
        for method in methods
        if _is_new(method, standing.get(method.selector), drop=request.drop_contract)
    ]
    told = [DefinedMethod(selector=each.selector, sha256=each.sha256, verdict="accept") for each in methods]
    done: Value = {"name": request.name, "oid": oid, "methods": [msgspec.to_builtins(method) for method in told]}
    mark = overlay.push()
    yield from _establish(thought, oid, drafts, has_contract=not request.drop_contract)
    if drafts and not consent.may_install_by_hand(thought):
        overlay.restore(mark)
        raise offering.proposed(thought, oid, drafts, done)
    overlay.merge()
    return done


def _establish(thought: Thought, oid: str, drafts: list[Draft], *, has_contract: bool) -> Thinking[None]:
    overlay = thought.overlay
    if not drafts:
        return
    replaced = [draft for draft in drafts if draft.selector in overlay.own(oid)]
    overlay.push()
    overlay.write(oid, {draft.selector: draft for draft in drafts})
    if has_contract:
        for draft in drafts:
            yield from holding.holds(thought, oid, draft, f"m.{draft.selector}", HINT)
        yield from holding.senders_hold(thought, oid, replaced, HINT)
    yield from rehearse(thought, oid)
    overlay.merge()
    for draft in drafts:
        if not overlay.is_kernel(oid):
            overlay.remember(memo_of(thought, oid, draft))


def _draft(thought: Thought, method: proving.Gated, old: UvmMethod | None, *, drop: bool) -> Draft:
    """The new method owes what the old one owed, and is for the same."""
    return Draft(
        selector=method.selector,
        source=method.source,
        sha256=method.sha256,
        parameters=method.parameters,
        author=author_of(thought.origin),
        model=None,
        examples=[] if drop or old is None else holding.contract(old),
        intent="" if old is None else old.intent,
        asked_by=consent.asked_by(thought),
    )


def _is_new(method: proving.Gated, old: UvmMethod | None, *, drop: bool) -> bool:
    return old is None or old.sha256 != method.sha256 or (drop and bool(old.examples))


def _check_once(methods: list[proving.Gated]) -> None:
    seen: set[str] = set()
    for method in methods:
        if method.selector in seen:
            raise BatosError(
                "BAD_ARGUMENT", f"the source defines {method.selector} twice", "Leave one of the two away."
            )
        seen.add(method.selector)


def _check_replaces(request: Define, methods: list[proving.Gated], standing: dict[str, UvmMethod]) -> None:
    for method in methods:
        old = standing.get(method.selector)
        if (old.sha256 if old is not None else "") != request.replaces:
            raise BatosError(
                "REPLACED",
                f"{request.name}.{method.selector} is not the method any more that was to be replaced",
                f"See what stands there now: `batos source {request.name} {method.selector}`.",
            )
