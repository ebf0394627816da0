"""What comes back, as text for a person. Shapes for programs are the messages themselves (`--json`)."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from cli.console import paint
from cli.values import printable, shown
from protocol.messages import Created, Looked, MandateReply, MethodView, SourceText

HASH: Final = 12
"""Characters of a hash that tell methods apart for the eye."""


def created(made: Created) -> str:
    return f"{made.name} is made: {made.oid}"


def sent(reply: MandateReply) -> str:
    """How the answer came about."""
    if reply.state == "accepted":
        return f"mandate {reply.mandate} is accepted and goes on by itself"
    if reply.synthesized and reply.method is not None:
        tries = attempts(reply.method.attempts)
        return f"{reply.method.selector} was written ({tries}, {reply.method.sha256[:HASH]}, cycle {reply.cycle})"
    return f"mandate {reply.mandate}: {reply.state}"


def attempts(number: int) -> str:
    return "1 attempt" if number == 1 else f"{number} attempts"


def answer(reply: MandateReply) -> str:
    return reply.mandate if reply.state == "accepted" else reply.proposal or shown(reply.result)


def looked(seen: Looked) -> str:
    lines = [f"{seen.name or 'object'}  {seen.oid}  at {seen.tid}"]
    lines += [f"  {name} = {shown(value, seen.names)}" for name, value in seen.slots.items()]
    if seen.parents:
        lines.append(f"  delegates to {', '.join(shown(parent, seen.names) for parent in seen.parents)}")
    for selector, method in seen.methods.items():
        lines.append(f"  {selector}  {_method(method)}")
        lines += [f"      {line}" for line in method.intent.splitlines()]
    if seen.next is not None:
        lines.append(f"  … there is more: --after {seen.next}")
    return "\n".join(map(printable, lines))


def source(found: SourceText, *, terminal: bool) -> str:
    """The text of the method itself; what a terminal would obey is escaped only for a terminal."""
    text = found.method.source
    if text is None:
        return f"{found.selector} on {found.holder} is a primitive: it is done by the system and has no source"
    text = text.rstrip("\n")
    return printable(text) if terminal else text


def intent(found: SourceText) -> str:
    """What the method is for, as its own comment would say it."""
    return "\n".join(f"# {line}" for line in printable(found.method.intent).splitlines())


def started(found: Mapping[str, Any]) -> str:
    already = "was running already" if found.get("already") else "is ready"
    return f"the system {already}\n{status(found)}" if "actors" in found else f"the system {already}"


def stopped(found: Mapping[str, Any]) -> str:
    return "nothing was running" if found.get("already") else "the system is stopped"


def status(found: Mapping[str, Any]) -> str:
    """The shape of `status` as a table, and what the world holds."""
    lines = [f"{paint('ready', 'green', sys.stdout) if found['ready'] else paint('not ready', 'red', sys.stdout)}"]
    rows = []
    for name, actor in found["actors"].items():
        up = "" if actor.get("uptime_s") is None else f"up {actor['uptime_s']:.0f} s"
        waits = actor.get("waiting_for") if actor.get("pid") else ""
        rows.append(
            (
                name,
                "ready" if actor["ready"] else str(actor["state"]).lower(),
                f"pid {actor['pid']}" if actor.get("pid") else "",
                up,
                f"{actor.get('restarts') or 0} restarts",
                f"waits for {waits}" if waits else "",
            )
        )
    lines.append(table((), rows))
    world, counted = found.get("world") or {}, found.get("cycles") or {}
    if world.get("uri"):
        lines.append(f"  world {world['uri']}, {world.get('objects')} objects, at {world.get('tid')}")
    if any(number is not None for number in counted.values()):
        lines.append("  cycles: " + ", ".join(f"{number} {name}" for name, number in counted.items()))
    if (model := found.get("model") or {}).get("engine"):
        lines += _model(model)
    tiers = Counter(expert["tier"] for expert in found.get("experts") or ())
    if tiers:
        counts = ", ".join(f"{tiers[tier]} {tier}" for tier in ("hot", "warm", "cold") if tiers[tier])
        lines.append(f"  experts: {counts} (batos expert ls)")
    for layer, why in ((found.get("jail") or {}).get("missing") or {}).items():
        lines.append(f"  {paint('the jail lacks', 'yellow', sys.stdout)} {layer}: {printable(why)}")
    return "\n".join(lines)


def _model(found: Mapping[str, Any]) -> list[str]:
    """What generates, on what, how fast it was lately, and what would be faster."""
    engine, speed = found["engine"], found.get("speed") or {}
    context = f", context {found['context']}" if found.get("context") else ""
    pace = f", {speed['one']:g} tokens/s alone" if speed.get("one") else ""
    made = f"{found.get('dtype') or ''} on {found.get('device')}".strip()
    lines = [f"  model {printable(str(found.get('model')))}: {made}{context}{pace}"]
    lines.append(f"  engine {engine['engine']}: {printable(engine['why'])}")
    if engine.get("faster"):
        lines.append(f"         → {printable(engine['faster'])}")
    return lines


def demo(found: Mapping[str, Any]) -> str:
    good = sum(step["ok"] for step in found["steps"])
    return f"{good} of {len(found['steps'])} steps hold, in {found['seconds']:.0f} s"


def walked(found: Mapping[str, Any]) -> str:
    good = sum(step["ok"] for step in found["steps"])
    return f"{good} of {len(found['steps'])} steps are as the tour says"


def step(found: Mapping[str, Any]) -> str:
    mark = paint("ok", "green", sys.stderr) if found["ok"] else paint("FAILED", "red", sys.stderr)
    return f"{mark}  {found['name']} ({found['seconds']:.1f} s): {printable(found['detail'])}"


def _method(method: MethodView) -> str:
    if method.sha256 is None:
        return f"primitive, by {method.author}"
    adopted = f", adopted from {printable(method.origin)}" if method.origin else ""
    return f"{method.sha256[:HASH]}, {method.verdict}, by {method.author}{adopted}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(head), *map(list, rows)] if head else [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in lines
    )
