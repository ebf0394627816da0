"""A thought that was thought again, as text at 80 columns: the trace, and whether it is that of then."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from cli.render.past.lines import cut, when
from cli.values import shown
from protocol.messages import Replayed
from protocol.messages.reasons import Difference, Ending, ReplayedStep

MOST: Final = 40
"""Steps that are told: the last ones, up to where something differs. All of them are in --json."""
_SEND: Final = 34


def replayed(found: Replayed) -> str:
    """The trace, the first difference, and how it ends."""
    cycle = f", cycle {found.cycle}" if found.cycle else ""
    asked = f"{found.target}.{found.selector}" if found.selector else f"by hand on {found.target}"
    lines = [f"mandate {found.mandate}{cycle}", f"{asked}, in the world of {when(found.time)} ({found.tid})"]
    lines += [f"with another {one['name']}.{one['selector']} ({one['sha256'][:12]})" for one in found.sources]
    lines += _steps(found)
    if found.difference is not None:
        lines += ["the first difference:", *_difference(found.difference)]
    if found.stopped is not None:
        lines.append(f"it stops at {found.stopped.path}: it asks {found.stopped.now}")
    tokens = _tokens(found.steps)
    spent = f" ({tokens} tokens then, none now)" if tokens else ""
    steps = "1 step" if found.total == 1 else f"{found.total} steps"
    verdict = "the same" if found.same else "not the same"
    lines.append(f"{verdict}: {steps}{spent}, in {found.seconds:.1f} s; nothing was written")
    lines.append(f"  then  {_ending(found.then)}")
    lines += [] if found.now is None else [f"  now   {_ending(found.now)}"]
    return "\n".join(cut(line) for line in lines)


def _steps(found: Replayed) -> list[str]:
    steps = found.steps
    if found.difference is not None:
        at = [number for number, step in enumerate(steps) if step.path == found.difference.path]
        steps = steps[: at[0] + 1] if at else steps
    left = len(steps) - MOST
    before = [f"  … {left} steps before (--json)"] if left > 0 else []
    return [*before, *(_step(step) for step in steps[-MOST:])]


def _tokens(steps: Sequence[ReplayedStep]) -> int:
    """All that were generated: a step has those of the steps within it too."""
    places = {step.path for step in steps}
    return sum(step.tokens for step in steps if not _is_within(step.path, places))


def _is_within(path: str, places: Collection[str]) -> bool:
    parts = path.split(".")
    return any(".".join(parts[:end]) in places for end in range(1, len(parts)))


def _step(step: ReplayedStep) -> str:
    tokens = f"  {step.tokens} tokens" if step.tokens else ""
    return f"  {step.send:<{_SEND}} {step.path}{tokens}"


def _difference(found: Difference) -> list[str]:
    return [f"  at    {found.path}", f"  then  {found.then}", f"  now   {found.now}"]


def _ending(end: Ending) -> str:
    if end.code:
        return f"{end.state} {end.code}: {end.message}"
    method = f", method {end.sha256[:12]}" if end.sha256 else ""
    return f"{end.state} {shown(end.result)}{method}"
