"""`import`: the objects of a bundle stand in this world, each method judged and tried here, all of them or none.

Nothing counts that another world has found. A bundle reaches nothing of this world but what every world has: its names mean
objects that come with it, or the system's own. It brings no kernel source: no object that delegates to the cycle's traits, and
its methods are judged without the kernel's names.

What does not depend on each other is asked together, so that all workers of the guardian are busy: first the gates, then the
contracts, with all methods in place, since they may send to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from actors.orchestrator.primitives import trials
from actors.orchestrator.primitives.contracts import holding
from actors.orchestrator.primitives.judgement import memo_of
from actors.orchestrator.thinking.asks import Thinking, call_all
from actors.orchestrator.thinking.author import user_author
from actors.orchestrator.thinking.overlay import Draft
from actors.orchestrator.thinking.thought import Thought
from protocol import codec, names, verbs
from protocol.checks import bundles
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.examples import check_calls, read_example
from protocol.messages import (
    BundledMethod,
    ImportBundle,
    Imported,
    ImportedMethod,
    ImportedObject,
    Judge,
    Trial,
    Tried,
    Verdict,
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
    drafts = yield from _judged(thought, arriving, find)
    cases = yield from _tried(thought, arriving, drafts)
    for oid in oids.values():
        overlay.visible(oid, kernel=False)  # TOO_LARGE now, and not with the first message
    for one, draft in zip(arriving, drafts, strict=True):
        overlay.remember(memo_of(thought, one.oid, draft))
    objects = [ImportedObject(name=new, oid=oids[name]) for name, new in called.items()]
    return msgspec.to_builtins(Imported(objects=objects, methods=cases))


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


def _judged(thought: Thought, arriving: Sequence[Arriving], find: Callable[[str], Ref]) -> Thinking[list[Draft]]:
    """The methods as they are to stand; REFUSED where the gates refuse one. They are judged as no kernel source."""
    verdicts: list[Verdict] = yield from call_all(
        verbs.JUDGE, [Judge(source=one.method.source) for one in arriving], path="m.judge"
    )
    told = [_told(one, verdict.violations) for one, verdict in zip(arriving, verdicts, strict=True)]
    _check(told)
    drafts = []
    for one, verdict in zip(arriving, verdicts, strict=True):
        method = one.method
        if verdict.selector != method.selector:
            raise BatosError(
                "BAD_BUNDLE",
                f"{one.name}.{method.selector} is the source of {verdict.selector}",
                "Have it exported again.",
            )
        examples = [_example(value, find) for value in method.examples]
        try:
            check_calls([read_example(value) for value in examples], verdict.parameters)
        except BatosError as error:
            raise BatosError(error.code, f"{one.name}.{method.selector}: {error.message}", error.hint) from error
        draft = Draft(
            selector=method.selector,
            source=method.source,
            sha256=method.sha256,
            parameters=verdict.parameters,
            author=user_author(),
            model=None,
            examples=examples,
            intent=method.intent,
        )
        thought.overlay.write(one.oid, {method.selector: draft})
        drafts.append(draft)
    return drafts


def _tried(thought: Thought, arriving: Sequence[Arriving], drafts: Sequence[Draft]) -> Thinking[list[ImportedMethod]]:
    """The verdict on each method, once all of them stand there; REFUSED where one does not hold its contract."""
    owing = [number for number, draft in enumerate(drafts) if draft.examples]
    requests: list[Trial] = [holding.trial_of(thought, arriving[number].oid, drafts[number]) for number in owing]
    replies: list[Tried] = yield from call_all(verbs.TRIAL, requests, path="m.trial")
    broken: dict[int, list[Violation]] = {}
    for number, trial, reply in zip(owing, requests, replies, strict=True):
        tried, _ = yield from trials.complete(thought, trial, reply, drafts[number], f"m.trial{number}")
        broken[number] = [
            Violation(rule=case.rule, line=0, message=f"example {at}: {case.message}")
            for at, case in enumerate(tried.cases, 1)
            if not case.passed
        ]
    told = [_told(one, broken.get(number, []), len(drafts[number].examples)) for number, one in enumerate(arriving)]
    _check(told)
    return told


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
