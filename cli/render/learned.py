"""What a learning came to, as text for a person at 80 columns: the method, the next best one, and what separates them.

Values are shown as Python writes them, beside source that is Python too; what is to be pasted is JSON, as it is typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from cli.calls.learning import Lesson
from cli.live import folded
from cli.render.pasting import pasteable
from cli.render.render import HASH, attempts
from cli.values import printable
from protocol.codec import Ref, Value
from protocol.messages import Doubt, Example, Group, Learned, MandateReply

WIDTH: Final = 80
SHOWN_GROUPS: Final = 4
SHOWN_CASES: Final = 4
_VALUE: Final = 40
"""Characters of a value; an answer that is longer ends in an ellipsis."""

Settle = Callable[[int], str | None]
"""The command that says that the answer of this number is right, if an example can."""


def literal(value: Value, most: int = _VALUE) -> str:
    """`value` as Python writes it, on one line, with references as `@oid`, and cut where it is long."""
    text = printable(_literal(value, most)).replace("\n", "\\n").replace("\t", "\\t")
    return text if len(text) <= most else text[: most - 1] + "…"


def outcome(found: Value) -> str:
    """What a method did on an input: `12`, `total = 5`, `raises KeyError`, `sends price_`."""
    if not isinstance(found, dict):
        return literal(found)
    if "raises" in found:
        return f"raises {printable(str(found['raises']))}"
    if "sends" in found:
        return f"sends {printable(str(found['sends']))}"
    changed, removed = found.get("changed"), found.get("removed")
    parts = [f"{printable(str(slot))} = {literal(value)}" for slot, value in _items(changed)]
    parts += [f"{printable(str(slot))} goes" for slot in (removed if isinstance(removed, list) else [])]
    returned = found.get("returns")
    return ", ".join(parts if parts and returned is None else [literal(returned), *parts])


def doubt(found: Doubt, parameters: Sequence[str] = ()) -> str:
    """`with lines = [] : 0  |  None`: an input, and what each group answers; a line each where that is too long for one."""
    told = _input(found.slots, found.args, found.kwargs, parameters)
    answers = [outcome(said.outcome) for said in found.answers]
    line = f"{told} : {'  |  '.join(answers)}"
    if len(line) <= WIDTH - 2:
        return line
    told = told if len(told) <= WIDTH - 2 else told[: WIDTH - 3] + "…"
    rows = [f"  {number}: {said}" for number, said in enumerate(answers, 1)]
    return "\n".join([told, *(row if len(row) <= WIDTH - 2 else row[: WIDTH - 3] + "…" for row in rows)])


def about(found: Lesson, parameters: Sequence[str], settle: Settle) -> str:
    """How a method was found, what the next best one is and where they differ, and the example that would settle it."""
    lines = [folded(made(found), WIDTH)]
    if found.runner_up is not None:
        count = found.runner_up.count
        lines += [f"the next best ({_candidates(count)}):", *_indented(found.runner_up.source)]
    if found.doubts:
        lines.append("they differ:" if found.runner_up is not None else "in doubt:")
        lines += [f"  {line}" for each in found.doubts for line in doubt(each, parameters).split("\n")]
        lines += _settling(found.doubts[0], settle)
    return "\n".join(lines)


def lesson(found: Lesson) -> str:
    """The method that was learned, or would be. Detached, the mandate that does it."""
    return found.mandate if found.method is None else printable(found.method.source.rstrip("\n"))


def groups(found: Sequence[Group]) -> str:
    """The largest groups, numbered, each with its likeliest source and what it answers."""
    lines: list[str] = []
    for number, group in enumerate(found[:SHOWN_GROUPS], 1):
        lines.append(f"{number}. {_candidates(group.count)}")
        lines += _indented(group.source)
        lines += [f"    {example(case)}" for case in group.cases[:SHOWN_CASES]]
    if len(found) > SHOWN_GROUPS:
        lines.append(f"and {len(found) - SHOWN_GROUPS} more, in --json")
    return "\n".join(lines)


def sent(reply: MandateReply, command: str) -> str:
    """What a person should know of a method that a message has brought forth, or "": where others would do otherwise."""
    learned = reply.learned
    if learned is None or not learned.doubts:
        return ""
    return f"in doubt: {doubt(learned.doubts[0])}\n  settle it:\n{pasteable(command)}"


def watched(found: Learned) -> str:
    """What a mandate that only learns has ended with."""
    if found.installed or not found.groups:
        return printable(found.source.rstrip("\n"))
    return f"{groups(found.groups)}\nnot installed: {printable(found.reason)}"


def made(found: Lesson) -> str:
    """How a method was found, and whether it is installed."""
    method = found.method
    if method is None:
        return f"mandate {found.mandate} is accepted and goes on by itself"
    came = f"taken from {printable(method.origin)}" if method.origin else "written"
    facts = f"({attempts(method.attempts)}, {method.sha256[:HASH]}, cycle {found.cycle})"
    if found.installed:
        return f"{method.selector} was {came} {facts}"
    return f"{method.selector} was {came} and not installed: {printable(found.reason)} {facts}"


def _settling(found: Doubt, settle: Settle) -> list[str]:
    lines: list[str] = []
    for number, said in enumerate(found.answers):
        command = settle(number)
        if command is not None:
            lines += [f"if {outcome(said.outcome)} is right:", pasteable(command)]
    return lines or ["say with one more --example what is right there"]


def example(case: Example) -> str:
    """`with n = 3 : 6`, an example as an input and an outcome."""
    ends: dict[str, Any] = {}
    if case.returns is not msgspec.UNSET:
        ends["returns"] = case.returns
    if case.slots_after is not msgspec.UNSET:
        ends["changed"] = case.slots_after
    line = f"{_input(case.slots, case.args, case.kwargs, ())} : {outcome(ends)}"
    return line if len(line) <= WIDTH - 4 else line[: WIDTH - 5] + "…"


def _input(
    slots: Mapping[str, Value], args: Sequence[Value], kwargs: Mapping[str, Value], parameters: Sequence[str]
) -> str:
    given = [f"{printable(slot)} = {literal(value)}" for slot, value in slots.items()]
    names = [parameters[n] if n < len(parameters) else f"arg{n + 1}" for n in range(len(args))]
    given += [f"{name} = {literal(value)}" for name, value in [*zip(names, args, strict=True), *kwargs.items()]]
    return f"with {', '.join(given)}" if given else "as it is"


def _literal(value: Value, room: int) -> str:
    """Only as far as it is shown: a value may be large."""
    if isinstance(value, Ref):
        return f"@{value.oid}"
    if isinstance(value, list):
        return f"[{', '.join(_literal(item, room) for item in value[:room])}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_literal(item, room)}" for key, item in list(value.items())[:room]) + "}"
    if isinstance(value, (str, bytes)):
        return repr(value[: room + 1])
    if isinstance(value, int) and not -(10**room) < value < 10**room:
        return f"a number of over {room} digits"
    return repr(value)


def _items(changed: Value) -> list[tuple[str | int, Value]]:
    return list(changed.items()) if isinstance(changed, dict) else []


def _candidates(count: int) -> str:
    return "1 candidate" if count == 1 else f"{count} candidates"


def _indented(source: str) -> list[str]:
    return [f"    {line}" for line in printable(source.rstrip("\n")).split("\n")]
