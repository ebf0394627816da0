"""What a source must pass before it stands on an object: the gates of the guardian, and the contracts that it may break.

The gates are those of every other method. A contract is tried as a candidate's is, through the interpreter over layers that
are dropped: first the method's own, then those of the methods that send its selector. One of these that fails without the
new method as well says nothing about it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Final

import msgspec

from actors.orchestrator.hand import uses
from actors.orchestrator.hand.splitting import Part
from actors.orchestrator.primitives import trials
from actors.orchestrator.thinking.asks import Thinking, call
from actors.orchestrator.thinking.overlay import Draft
from actors.orchestrator.thinking.thought import Thought
from protocol import names, verbs
from protocol.brief import brief
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.examples import read_example
from protocol.messages import Case, DefinedMethod, Example, Judge, Trial, Verdict
from world.method import UvmMethod, digest
from world.values import oid_of, plain

MOST_SENDERS: Final = 50
"""Methods whose contracts are tried before what they send means something else."""


class Gated(msgspec.Struct, frozen=True):
    """A part of a source that has passed the gates."""

    selector: str
    parameters: list[str]
    source: str
    sha256: str


def gated(thought: Thought, oid: str, parts: Sequence[Part], path: str) -> Thinking[list[Gated]]:
    """The methods that `parts` are, for the object `oid`; REFUSED with the verdict on each where one is refused."""
    told: list[DefinedMethod] = []
    found: list[Gated] = []
    for number, part in enumerate(parts):
        selector = named(part.source)
        request = Judge(source=part.source, kernel=thought.overlay.is_privileged(oid, selector))
        verdict = yield from call(verbs.JUDGE, request, path=f"{path}.judge{number}", keep=True)
        judged = _told(verdict, part, selector)
        if verdict.accepted:
            names.check_selector(judged.selector)
            found.append(Gated(judged.selector, verdict.parameters, part.source, judged.sha256))
        told.append(judged)
    refused = [method for method in told if method.violations]
    if refused:
        raise _refused(told, refused)
    return found


def named(source: str) -> str:
    """The name after the first `def`, whether the source is a method or not."""
    found = re.search(r"(?m)^(?:async\s+)?def\s+(\w+)", source)
    return found[1] if found is not None else ""


def contract(method: object) -> list[Value]:
    """The examples that a method of the world, or a draft, is to hold, as plain values."""
    if isinstance(method, Draft):
        return list(method.examples)
    return [plain(example, _unseen) for example in method.examples] if isinstance(method, UvmMethod) else []


def holds(thought: Thought, oid: str, draft: Draft, path: str, hint: str) -> Thinking[None]:
    """Try `draft` on its own examples; REFUSED with the first that it does not hold. All drafts stand in the overlay already."""
    broken = yield from first_broken(thought, oid, draft, path)
    if broken is not None:
        number, case = broken
        raise breaks(draft.selector, f"its contract: example {number}", draft.examples[number - 1], case, hint)


def senders_hold(thought: Thought, oid: str, drafts: Sequence[Draft], hint: str) -> Thinking[None]:
    """Try the methods that send what `drafts` (the overlay's top layer) are to answer, on their examples; REFUSED as above."""
    overlay = thought.overlay
    here = {draft.selector for draft in drafts}
    for draft in drafts:
        sending = uses.senders_of(overlay.connection, draft.selector, but=oid)
        owing = (one for one in sending if one[3].examples and not (oid_of(one[1]) == oid and one[2] in here))
        for number, (label, holder, selector, method) in enumerate(islice(owing, MOST_SENDERS)):
            sender, path = draft_of(method, method.author), f"m.{draft.selector}.sender{number}"
            broken = yield from first_broken(thought, oid_of(holder), sender, path)
            if broken is None:
                continue
            layer = overlay.drop()
            before = yield from first_broken(thought, oid_of(holder), sender, f"{path}.before")
            overlay.push(layer)
            if before is None:
                at, case = broken
                what = f"the contract of {label}.{selector}: example {at}"
                raise breaks(draft.selector, what, sender.examples[at - 1], case, hint)


def first_broken(thought: Thought, oid: str, draft: Draft, path: str) -> Thinking[tuple[int, Case] | None]:
    """The first example (from 1) that a method on `oid` does not hold, and what came instead; None where it holds all."""
    if not draft.examples:
        return None
    kernel = thought.overlay.is_privileged(oid, draft.selector)
    trial = Trial(
        source=draft.source,
        receiver=Ref(oid),
        slots=thought.overlay.visible(oid, kernel=kernel),
        examples=[example_of(value) for value in draft.examples],
        is_sent=False,
        kernel=kernel,
    )
    tried = yield from call(verbs.TRIAL, trial, path=path, keep=True)
    tried, _ = yield from trials.complete(thought, trial, tried, draft, path)
    for number, case in enumerate(tried.cases, 1):
        if not case.passed:
            return number, case
    return None


def breaks(selector: str, what: str, example: Value, case: Case, hint: str) -> BatosError:
    """That `selector` as it would stand breaks a contract."""
    return BatosError(
        "REFUSED",
        f"{selector} breaks {what}, {_shown(example)}: {case.message}",
        hint,
        selector=selector,
        example=example,
    )


def draft_of(method: UvmMethod, author: str) -> Draft:
    """A method of the world as one that is to stand, with all that it owes. (It has a source.)"""
    source = str(method.source)
    return Draft(
        selector=method.selector,
        source=source,
        sha256=digest(source),
        parameters=list(method.parameters),
        author=author,
        model=method.model,
        examples=contract(method),
        intent=method.intent,
        origin=method.origin,
    )


def example_of(value: Value) -> Example:
    """An example as the world keeps it, to be tried."""
    return read_example(value, "an example of its contract")


def _told(verdict: Verdict, part: Part, selector: str) -> DefinedMethod:
    shift = part.line - 1
    violations = [
        msgspec.structs.replace(one, line=one.line + shift if one.line else part.line) for one in verdict.violations
    ]
    return DefinedMethod(
        selector=verdict.selector or selector,
        sha256=digest(part.source),
        verdict=verdict.verdict,
        violations=violations,
    )


def _refused(told: list[DefinedMethod], refused: list[DefinedMethod]) -> BatosError:
    first = refused[0].violations[0]
    count = sum(len(method.violations) for method in refused)
    more = f" (and {count - 1} more)" if count > 1 else ""
    return BatosError(
        "REFUSED",
        f"line {first.line}: {first.rule} {first.message}{more}",
        "Nothing has changed. docs/rules.md explains each rule, and `batos guard FILE` judges without a world.",
        rule=first.rule,
        line=first.line,
        methods=[msgspec.to_builtins(method) for method in told],
    )


def _shown(example: Value) -> str:
    """An example as a person knows it again: what is asked of what."""
    asked = {
        part: example[part] for part in ("slots", "args", "kwargs") if isinstance(example, dict) and example.get(part)
    }
    return brief(asked)


def _unseen(_: object) -> None:
    """A contract is not a read of the world's state: nothing replaces it but a new method."""
