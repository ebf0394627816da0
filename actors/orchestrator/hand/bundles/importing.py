"""`import`: the objects of a bundle stand in this world, each method judged and tried here, all of them or none.

Nothing counts that another world has found. A bundle reaches nothing of this world but what every world has: its names mean
objects that come with it, or the system's own. It brings no kernel source: no object that delegates to the cycle's traits, and
its methods are judged without the kernel's names.

All methods are judged and tried together, so that all workers of the guardian are busy. A contract whose method sends is driven
after that, with all methods in place, since they may send to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from actors.orchestrator.primitives import trials
from actors.orchestrator.primitives.contracts import holding
from actors.orchestrator.primitives.judgement import memo_of
from actors.orchestrator.thinking.asks import Thinking, call_all
from actors.orchestrator.thinking.author import author_of
from actors.orchestrator.thinking.overlay import Draft
from actors.orchestrator.thinking.thought import Thought
from protocol import codec, names, verbs
from protocol.checks import bundles
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.examples import check_calls
from protocol.messages import (
    BundledMethod,
    ImportBundle,
    Imported,
    ImportedMethod,
    ImportedObject,
    Trial,
    Tried,
    Violation,
)
from world import root as world_root

NOTHING: Final = "Nothing has changed. Each method's verdict is told; docs/rules.md explains the rules."
TOLD: Final = 10


class Arriving(msgspec.Struct, frozen=True):
    """A method of the bundle on its way: on which object (its name in the bundle, and its OID here)."""

    name: str
    oid: str
    method: BundledMethod


def take_in(thought: Thought, request: ImportBundle) -> Thinking[Value]:
    """Put the objects of the bundle into the overlay. REFUSED with all verdicts, NAME_TAKEN, BAD_BUNDLE, BAD_EXAMPLE."""
    overlay = thought.overlay
    called = _called(thought, request)
    _check_names(thought, request, called)
    oids = {each.name: overlay.add({}).oid for each in request.objects}
    for name, new in called.items():
        overlay.call(new, oids[name])

    def find(name: str) -> Ref:
        return Ref(oids[name] if name in oids else overlay.find(name))

    for each in request.objects:
        parents = {slot: find(parent) for slot, parent in each.parents.items()}
        overlay.write(oids[each.name], {**parents, **{n: codec.resolved(v, find) for n, v in each.slots.items()}})
    for name, oid in oids.items():
        if overlay.is_kernel(oid):
            raise BatosError(
                "BAD_BUNDLE",
                f"{name} delegates to the traits of the kernel's cycles, which no bundle may",
                "Export it without that parent.",
            )
    arriving = [Arriving(each.name, oids[each.name], method) for each in request.objects for method in each.methods]
    drafts, told = yield from _tried(thought, arriving, find)
    for oid in oids.values():
        overlay.visible(oid, kernel=False)  # TOO_LARGE now, and not with the first message
    for one, draft in zip(arriving, drafts, strict=True):
        overlay.remember(memo_of(thought, one.oid, draft))
    objects = [ImportedObject(name=new, oid=oids[name]) for name, new in called.items()]
    return msgspec.to_builtins(Imported(objects=objects, methods=told))


def _called(thought: Thought, request: ImportBundle) -> dict[str, str]:
    """What the named objects are called here, by their names in the bundle; NAME_TAKEN with all that mean something already."""
    prefix = f"{request.prefix}." if request.prefix else ""
    called = {each.name: names.check_object(prefix + each.name) for each in request.objects if not each.owned}
    root = thought.overlay.connection.root()
    taken = [name for name in called.values() if world_root.is_taken(root, name)]
    if taken:
        more = f" and {len(taken) - TOLD} more" if len(taken) > TOLD else ""
        raise BatosError(
            "NAME_TAKEN",
            f"there are already objects called {', '.join(taken[:TOLD])}{more}",
            "Bring them in under other names: --as PREFIX.",
            names=taken,
        )
    return called


def _check_names(thought: Thought, request: ImportBundle, called: dict[str, str]) -> None:
    """BAD_BUNDLE where a name means neither an object of the bundle nor one of the system's own."""
    root = thought.overlay.connection.root()
    inside = {each.name for each in request.objects}
    for name, where in bundles.names_in(request.objects).items():
        if name not in inside and name not in world_root.KERNEL_OBJECTS and name not in root["personas"]:
            raise BatosError(
                "BAD_BUNDLE",
                f"{where} names {name[: names.MAX_NAME]}, which is not in the bundle",
                "A bundle reaches only what it brings, and the system's own. Export the object along with it.",
            )
    if not called:
        raise BatosError("BAD_BUNDLE", "no object of the bundle has a name", "Then nothing could reach it.")


def _tried(
    thought: Thought, arriving: Sequence[Arriving], find: Callable[[str], Ref]
) -> Thinking[tuple[list[Draft], list[ImportedMethod]]]:
    """The methods as they are to stand, in the overlay, and the verdict on each; REFUSED where one is refused.

    A contract whose method sends is driven once all methods are in their place.
    """
    drafts = [_draft(thought, one, find) for one in arriving]
    requests = [
        holding.trial_of(thought, one.oid, draft, is_strange=True) for one, draft in zip(arriving, drafts, strict=True)
    ]
    replies: list[Tried] = yield from call_all(verbs.TRIAL, requests, path="m.trial")
    _check([_told(one, reply.violations) for one, reply in zip(arriving, replies, strict=True)])
    drafts = [_laid(thought, *each) for each in zip(arriving, drafts, requests, replies, strict=True)]
    told = []
    for number, (one, draft) in enumerate(zip(arriving, drafts, strict=True)):
        tried, _ = yield from trials.complete(thought, requests[number], replies[number], draft, f"m.trial{number}")
        broken = [
            Violation(rule=case.rule, line=0, message=f"example {at}: {case.message}")
            for at, case in enumerate(tried.cases, 1)
            if not case.passed
        ]
        told.append(_told(one, broken, len(draft.examples)))
    _check(told)
    return drafts, told


def _draft(thought: Thought, one: Arriving, find: Callable[[str], Ref]) -> Draft:
    """The method as the file has it. What its parameters are the guardian says."""
    method = one.method
    return Draft(
        selector=method.selector,
        source=method.source,
        sha256=method.sha256,
        parameters=[],
        author=author_of(thought.origin),
        model=None,
        examples=[_example(value, find) for value in method.examples],
        intent=method.intent,
    )


def _laid(thought: Thought, one: Arriving, draft: Draft, trial: Trial, reply: Tried) -> Draft:
    """The method that has passed the gates in its place; BAD_BUNDLE where it is another one, BAD_EXAMPLE where it cannot be called so."""
    where = f"{one.name}.{draft.selector}"
    if reply.selector != draft.selector:
        raise BatosError("BAD_BUNDLE", f"{where} is the source of {reply.selector}", "Have it exported again.")
    try:
        check_calls(trial.examples, reply.parameters)
    except BatosError as error:
        raise BatosError(error.code, f"{where}: {error.message}", error.hint) from error
    laid = msgspec.structs.replace(draft, parameters=reply.parameters)
    thought.overlay.write(one.oid, {laid.selector: laid})
    return laid


def _example(value: Value, find: Callable[[str], Ref]) -> Value:
    """An example of the bundle as the world keeps it: objects by their OIDs here."""
    example = codec.resolved(value, find)
    others = example.get("objects")
    return {**example, "objects": {find(name).oid: laid for name, laid in others.items()}} if others else example


def _told(one: Arriving, violations: list[Violation], cases: int = 0) -> ImportedMethod:
    return ImportedMethod(
        name=one.name,
        selector=one.method.selector,
        sha256=one.method.sha256,
        verdict="reject" if violations else "accept",
        cases=0 if violations else cases,
        violations=violations,
    )


def _check(told: Sequence[ImportedMethod]) -> None:
    """REFUSED where one of these is."""
    refused = [one for one in told if one.violations]
    if refused:
        first = refused[0]
        broken = first.violations[0]
        at = f" at line {broken.line}" if broken.line else ""
        raise BatosError(
            "REFUSED",
            f"{len(refused)} of {len(told)} methods are refused, first {first.name}.{first.selector}:"
            f" {broken.rule}{at}: {broken.message}",
            NOTHING,
            methods=[msgspec.to_builtins(one) for one in told],
        )
