"""Gate 4, trial: what a method does on its examples, and on the message that asked for it.

Each run is a child of its own on a fresh copy of the receiver's slots. No effect is performed: an example asks for an
outcome, so a send fails it; the original message, without examples, may well begin with a send.

Whatever a method does there, and however large an example is, is a case that fails and never an error of the trial. A
method that has used up its time once is tried no further: the next case would take as long.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from protocol.brief import MOST, brief
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.examples import same_value
from protocol.messages import Case, Done, Effect, Example, Failed, Judge, Outcome, Run, Trial, Tried, Verdict

RULES: Final[dict[str, str]] = {
    "TRIAL_SEND": "an example asks for an outcome, and the method sent a message first",
    "TRIAL_RESULT": "the method returned something else",
    "TRIAL_SLOTS": "the method left the slots otherwise",
    "TRIAL_FAILED": "the method failed",
}
Judging = Callable[[Judge], Awaitable[Verdict]]
Running = Callable[[Run], Awaitable[Outcome]]


async def try_out(trial: Trial, judge: Judging, run: Running) -> Tried:
    """Judge, then run every example and the original message."""
    verdict = await judge(Judge(source=trial.source, kernel=trial.kernel))
    if not verdict.accepted:
        return Tried(verdict="reject", violations=verdict.violations)
    cases: list[Case] = []
    for example in trial.examples:
        slots = {**trial.slots, **example.slots}
        request = msgspec.structs.replace(_original(trial), slots=slots, args=example.args, kwargs=example.kwargs)
        came = await outcome_of(run, request)
        cases.append(compare(example, slots, came))
        if isinstance(came, Failed) and came.error == "LIMIT_TIME":
            untried = _failed("TRIAL_FAILED", f"it was not tried, since case {len(cases)} took all the time there is")
            cases += [untried] * (len(trial.examples) - len(cases))
            return Tried(verdict="accept", cases=cases, outcome=came)
    outcome = await outcome_of(run, _original(trial)) if trial.is_sent else None
    return Tried(verdict="accept", cases=cases, outcome=outcome)


async def outcome_of(run: Running, request: Run) -> Outcome:
    """How it ends; what is too large to be asked is one way of it."""
    try:
        return await run(request)
    except BatosError as error:
        if error.code not in {"TOO_LARGE", "BAD_VALUE"}:
            raise
        return Failed(code=error.code, error=error.code, message=error.message)


def compare(example: Example, slots: dict[str, Value], outcome: Outcome) -> Case:
    """Whether `outcome`, of a run on `slots`, is what `example` asks for."""
    if isinstance(outcome, Failed):
        line = f", line {outcome.line}" if outcome.line else ""
        return _failed("TRIAL_FAILED", f"{outcome.error}: {outcome.message}{line}")
    if isinstance(outcome, Effect):
        return _failed("TRIAL_SEND", f"it sent {outcome.send.selector}")
    if example.returns is not msgspec.UNSET and not same_value(example.returns, outcome.result):
        return _failed("TRIAL_RESULT", f"expected {brief(example.returns)}, got {brief(outcome.result)}")
    if not isinstance(example.slots_after, dict):
        return Case(passed=True)
    return _compare_slots({**slots, **example.slots_after}, _after(slots, outcome))


def _compare_slots(expected: dict[str, Value], got: dict[str, Value]) -> Case:
    for slot in sorted(expected.keys() | got.keys()):
        if slot not in got:
            return _failed("TRIAL_SLOTS", f"slot {slot!r}: expected {brief(expected[slot])}, it is gone")
        if slot not in expected:
            return _failed("TRIAL_SLOTS", f"slot {slot!r}: expected none, got {brief(got[slot])}")
        if not same_value(expected[slot], got[slot]):
            return _failed("TRIAL_SLOTS", f"slot {slot!r}: expected {brief(expected[slot])}, got {brief(got[slot])}")
    return Case(passed=True)


def _after(slots: dict[str, Value], done: Done) -> dict[str, Value]:
    kept = {slot: value for slot, value in slots.items() if slot not in done.removed}
    return {**kept, **done.changed}


def _original(trial: Trial) -> Run:
    return Run(
        source=trial.source,
        receiver=trial.receiver,
        slots=trial.slots,
        args=trial.args,
        kwargs=trial.kwargs,
        kernel=trial.kernel,
        seconds=trial.seconds,
    )


def _failed(rule: str, message: str) -> Case:
    return Case(passed=False, rule=rule, message=f"{RULES[rule]}: {message[: 3 * MOST]}")
