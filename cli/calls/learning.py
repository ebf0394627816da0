"""A method that is to be written without its message being sent: the mandate for it, and what came of it.

With `--pick` one of the groups that an earlier learning has told apart becomes the contract: its answers are the examples,
and its source is the first candidate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from batos.learning import Lesson, lesson_of
from cli import values, wire
from cli.calls import objects
from cli.calls.sending import Sending
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.mandates import check_mandate
from protocol.messages import (
    Cycles,
    Event,
    Learn,
    Mandate,
    MandateReply,
    Watch,
    Watched,
)

__all__ = [
    "Lesson",
    "answered",
    "in_doubt",
    "is_choice",
    "is_in_doubt",
    "learn",
    "lesson_of",
    "picked",
    "settled_by",
    "settling",
    "shown_selector",
]

LOOKED_THROUGH: Final = 1000
"""The newest cycles, among which `--pick` looks for the learning that it means."""
WATCHED: Final = 50
"""Of these, so many of the message are asked for their groups."""
EXAMPLE: Final = '{"slots":{…},"args":[…],"returns":…}'


async def learn(on_its_way: Sending, on_event: Callable[[Event], None]) -> Lesson:
    """What comes of the mandate; raises as `Sending.run`."""
    return lesson_of(await on_its_way.run(on_event))


def is_choice(wanted: Mandate, found: Lesson) -> bool:
    """Whether nothing said what is right, so that a group is to be picked."""
    owes_nothing = not wanted.examples and not (wanted.learn is not None and wanted.learn.again)
    return owes_nothing and not found.installed and bool(found.groups)


def is_in_doubt(wanted: Mandate, found: Lesson) -> bool:
    """Whether nothing was installed because it was to be strict."""
    is_strict = wanted.learn is not None and wanted.learn.strict and not wanted.learn.dry_run
    return is_strict and bool(found.doubts) and not found.installed and not is_choice(wanted, found)


def in_doubt(wanted: Mandate, found: Lesson) -> BatosError:
    """That failure, with all that is known."""
    facts = {name: getattr(found, name) for name in found.__struct_fields__ if name not in {"state", "proposal"}}
    return BatosError(
        "IN_DOUBT",
        f"methods that hold every example of {wanted.selector} do not do the same elsewhere; none is installed",
        "Say with one more --example what is right where they differ, or leave --strict away.",
        **facts,
    )


async def picked(home: Home, wanted: Mandate, number: int) -> Mandate:
    """`wanted`, with the group of this `number` (from 1) of the newest learning of that message as its contract."""
    found = await _newest(home, wanted)
    groups = found.learned.groups if found is not None and found.learned is not None else []
    words = [wanted.target, shown_selector(wanted)]
    if found is None:
        raise BatosError(
            "BAD_ARGUMENT",
            f"there is nothing to pick: no learning of {wanted.selector} for {wanted.target} has groups to choose from",
            f"Begin with what it is for: {wire.command(home, 'learn', *words, '--intent', 'TEXT')}",
        )
    if not 1 <= number <= len(groups):
        have = "is 1 group" if len(groups) == 1 else f"are {len(groups)} groups"
        raise BatosError(
            "BAD_ARGUMENT",
            f"there is no group {number}: of mandate {found.mandate} there {have}",
            f"See them: {wire.command(home, 'cycle', 'watch', found.mandate)}",
        )
    group = groups[number - 1]
    learn = wanted.learn or Learn()
    made = msgspec.structs.replace(
        wanted,
        parameters=wanted.parameters or found.parameters,
        examples=[*group.cases, *wanted.examples],
        intent=wanted.intent or found.intent,
        learn=msgspec.structs.replace(learn, candidates=[group.source]),
    )
    return check_mandate(made)


async def _newest(home: Home, wanted: Mandate) -> Watched | None:
    """The newest mandate that has ended with groups of methods for this message."""
    target = (await objects.look(home, wanted.target, limit=1)).oid
    cycles = (await wire.ask(home, verbs.CYCLES, Cycles(limit=LOOKED_THROUGH))).cycles
    of_message = [
        one for one in cycles if (one.target, one.selector, one.state) == (target, wanted.selector, "COMPLETE")
    ]
    for one in of_message[:WATCHED]:
        found = await wire.ask(home, verbs.WATCH, Watch(id=one.mandate))
        # A cycle within another one's is not what its mandate was about.
        if found.cycle == one.cycle and found.learned is not None and found.learned.groups:
            return found
    return None


def shown_selector(wanted: Mandate) -> str:
    """`increment_(by)`, as it is typed."""
    return f"{wanted.selector}({', '.join(wanted.parameters)})" if wanted.parameters else wanted.selector


def settling(home: Home, wanted: Mandate, found: Lesson, number: int) -> str | None:
    """The command that says that of the first doubt the answer of this `number` (from 0) is right; None where no example can.

    Where nothing is installed it repeats what was said already; where a method is, that one's contract holds anyway.
    """
    doubt = found.doubts[0]
    returns = doubt.answers[number].outcome
    if not isinstance(returns, dict) or "returns" not in returns or returns.get("removed"):
        return None
    # Where one of them changes nothing, that is to be said as well.
    changes = any(isinstance(said.outcome, dict) and said.outcome.get("changed") for said in doubt.answers)
    case: dict[str, Any] = {"slots": doubt.slots, "args": doubt.args}
    case |= {"kwargs": doubt.kwargs} if doubt.kwargs else {}
    case |= {"returns": returns["returns"]} | ({"slots_after": returns.get("changed") or {}} if changes else {})
    learn = wanted.learn or Learn()
    words = ["learn", wanted.target, shown_selector(wanted)]
    if found.installed or learn.again:
        words += ["--again"]
    if not found.installed:
        words += ["--intent", wanted.intent] if wanted.intent else []
        words += [word for example in wanted.examples for word in ("--example", values.line(example))]
        words += ["--strict"] if learn.strict else []
    return wire.command(home, *words, "--example", values.line(case))


def settled_by(home: Home, wanted: Mandate, reply: MandateReply) -> str:
    """The command that settles what is in doubt of a method that a message has brought forth."""
    found = lesson_of(reply)
    answers = found.doubts[0].answers if found.doubts else []
    commands = [settling(home, wanted, found, number) for number in range(len(answers))]
    words = ("learn", wanted.target, shown_selector(wanted), "--again", "--example", EXAMPLE)
    return next((command for command in commands if command is not None), wire.command(home, *words))


def answered(reply: MandateReply) -> dict[str, Any]:
    """The shape of `send`: the reply, and what of its method is in doubt."""
    learned = reply.learned
    shape = msgspec.structs.asdict(reply)
    del shape["learned"]
    return {**shape, "doubts": learned.doubts if learned is not None else []}
