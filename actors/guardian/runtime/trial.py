"""Gate 4, trial: what a method does on its examples, and on the message that asked for it.

Each run is a child of its own on a fresh copy of the receiver's slots. No effect is performed: an example asks for an
outcome, so a send fails it here; the original message, without examples, may well begin with a send.

Whatever a method does there, and however large an example is, is a case that fails and never an error of the trial. A
method that has used up its time once is tried no further: the next case would take as long.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from protocol.errors import BatosError
from protocol.examples import compare, failed_case
from protocol.messages import Case, Failed, Judge, Outcome, Run, Trial, Tried, Verdict

Judging = Callable[[Judge], Awaitable[Verdict]]
Running = Callable[[Run], Awaitable[Outcome]]


async def try_out(trial: Trial, judge: Judging, run: Running) -> Tried:
    """Judge where that is not done yet, then run every example and the original message."""
    tried = Tried(verdict="accept")
    if not trial.is_judged:
        verdict = await judge(Judge(source=trial.source, kernel=trial.kernel))
        if not verdict.accepted:
            return Tried(verdict="reject", violations=verdict.violations)
        tried = Tried(verdict="accept", selector=verdict.selector, parameters=verdict.parameters)
    cases: list[Case] = []
    for example in trial.examples:
        slots = {**trial.slots, **example.slots}
        request = msgspec.structs.replace(_original(trial), slots=slots, args=example.args, kwargs=example.kwargs)
        came = await outcome_of(run, request)
        cases.append(compare(example, slots, came))
        if isinstance(came, Failed) and came.error == "LIMIT_TIME":
            untried = failed_case(
                "TRIAL_FAILED", f"it was not tried, since case {len(cases)} took all the time there is"
            )
            cases += [untried] * (len(trial.examples) - len(cases))
            return msgspec.structs.replace(tried, cases=cases, outcome=came)
    outcome = await outcome_of(run, _original(trial)) if trial.is_sent else None
    return msgspec.structs.replace(tried, cases=cases, outcome=outcome)


async def outcome_of(run: Running, request: Run) -> Outcome:
    """How it ends; what is too large to be asked is one way of it."""
    try:
        return await run(request)
    except BatosError as error:
        if error.code not in {"TOO_LARGE", "BAD_VALUE"}:
            raise
        return Failed(code=error.code, error=error.code, message=error.message)


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
