"""Whether a method holds what it owes, and whether those that send it still hold what they owe.

A contract is tried as a candidate is, through the interpreter over layers that are dropped. Who replaces a method, in whichever way,
asks here: first for its own contract, then for those of the methods that are known to send it. One of these that fails without
the new method as well says nothing about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

import msgspec

from actors.orchestrator.primitives import trials
from actors.orchestrator.primitives.contracts.senders import senders
from actors.orchestrator.thinking.asks import Thinking, call
from actors.orchestrator.thinking.overlay import Draft
from actors.orchestrator.thinking.thought import Thought
from protocol import verbs
from protocol.brief import brief
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.examples import read_example
from protocol.messages import Case, Example, Trial
from world.method import UvmMethod, digest
from world.values import oid_of, plain

MOST_SENDERS: Final = 50
"""Methods whose contracts are tried before what they send means something else."""


class Break(msgspec.Struct, frozen=True):
    """The first example that does not hold: of which method (`pen.twice_`), its number from 1, and what came instead."""

    method: str
    number: int
    example: Value
    case: Case


def contract(method: object) -> list[Value]:
    """The examples that a method of the world, or a draft, is to hold, as plain values."""
    if isinstance(method, Draft):
        return list(method.examples)
    return [plain(example, _unseen) for example in method.examples] if isinstance(method, UvmMethod) else []


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
        asked_by=method.asked_by,
        told=method.told,
    )


def holds(thought: Thought, oid: str, draft: Draft, path: str, hint: str) -> Thinking[None]:
    """Try `draft` on its own examples; REFUSED with the first that it does not hold. All drafts stand in the overlay already."""
    broken = yield from first_broken(thought, oid, draft, path)
    if broken is not None:
        raise breaks(draft.selector, "its contract", broken, hint)


def senders_hold(thought: Thought, oid: str, drafts: Sequence[Draft], hint: str) -> Thinking[None]:
    """Try the methods that send what `drafts` (the overlay's top layer) are to answer, on their examples; REFUSED as above."""
    for draft in drafts:
        broken = yield from first_broken_sender(thought, oid, drafts, draft.selector, f"m.{draft.selector}")
        if broken is not None:
            raise breaks(draft.selector, f"the contract of {broken.method}", broken, hint)


def first_broken_sender(
    thought: Thought, oid: str, drafts: Sequence[Draft], selector: str, path: str
) -> Thinking[Break | None]:
    """The first example of a method sending `selector` that holds only without `drafts`, which are the overlay's top layer."""
    overlay = thought.overlay
    here = {draft.selector for draft in drafts}
    known = yield from senders(thought, selector)
    owing = (one for one in known if one[1].examples and not (oid_of(one[0]) == oid and one[1].selector in here))
    for number, (holder, method) in enumerate(islice(owing, MOST_SENDERS)):
        sender, at, sending = draft_of(method, method.author), oid_of(holder), f"{path}.sender{number}"
        broken = yield from first_broken(thought, at, sender, sending)
        if broken is None:
            continue
        layer = overlay.drop()
        try:
            before = yield from first_broken(thought, at, sender, f"{sending}.before")
        finally:
            overlay.push(layer)
        if before is None:
            return msgspec.structs.replace(broken, method=f"{holder._name or at}.{method.selector}")
    return None


def first_broken(thought: Thought, oid: str, draft: Draft, path: str) -> Thinking[Break | None]:
    """The first example that a method on `oid` does not hold; None where it holds all."""
    if not draft.examples:
        return None
    cases, _ = yield from tried(thought, oid, draft, path)
    for number, case in enumerate(cases, 1):
        if not case.passed:
            return Break(draft.selector, number, draft.examples[number - 1], case)
    return None


def tried(thought: Thought, oid: str, draft: Draft, path: str) -> Thinking[tuple[list[Case], dict[str, trials.Frozen]]]:
    """How a method on `oid`, which the gates have let in, does on its examples, and the objects that it read, by their digest."""
    trial = trial_of(thought, oid, draft)
    found = yield from call(verbs.TRIAL, trial, path=path, keep=True)
    found, read = yield from trials.complete(thought, trial, found, draft, path)
    return found.cases, read


def trial_of(thought: Thought, oid: str, draft: Draft, *, is_strange: bool = False) -> Trial:
    """The trial of a method on `oid`, which the gates have let in, on all of its examples.

    One that `is_strange` is judged in it, without the names of the kernel.
    """
    kernel = not is_strange and thought.overlay.is_privileged(oid, draft.selector)
    return Trial(
        source=draft.source,
        receiver=Ref(oid),
        slots=thought.overlay.visible(oid, kernel=kernel),
        examples=[example_of(value) for value in draft.examples],
        is_sent=False,
        is_judged=not is_strange,
        kernel=kernel,
    )


def breaks(selector: str, what: str, broken: Break, hint: str) -> BatosError:
    """That `selector` as it would stand breaks a contract."""
    return BatosError(
        "REFUSED",
        f"{selector} breaks {what}: {told(broken)}",
        hint,
        selector=selector,
        example=broken.example,
    )


def told(broken: Break) -> str:
    """`example 1, {'args': [2]}: … expected 4, got 5`."""
    return f"example {broken.number}, {shown(broken.example)}: {broken.case.message}"


def shown(example: Value) -> str:
    """An example as a person knows it again: what is asked of what."""
    asked = {
        part: example[part] for part in ("slots", "args", "kwargs") if isinstance(example, dict) and example.get(part)
    }
    return brief(asked)


def example_of(value: Value) -> Example:
    """An example as the world keeps it, to be tried."""
    return read_example(value, "an example of its contract")


def _unseen(_: object) -> None:
    """A contract is not a read of the world's state: nothing replaces it but a new method."""
