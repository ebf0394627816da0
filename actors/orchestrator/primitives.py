"""The primitives: methods that name a verb instead of a source, and are performed here.

`PRIMITIVES` maps a verb to its performer, a generator over (thought, receiver, path, the message's arguments). The
arguments are bound to the performer's signature, so that a wrong call reads the same as for a method in Python. The one
primitive that starts a cycle stands with the cycle.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

import msgspec

from actors.orchestrator.asks import Call, Judged, Thinking
from actors.orchestrator.overlay import Draft
from actors.orchestrator.thought import Doomed, Message, RunningCycle, Thought
from protocol import codec
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.messages import Done, Effect, Example, Failed, Infer, Inferred, Judge, Row, Trial, Tried, Verdict
from world.method import digest

MAX_ROWS: Final = 64


class Asked(msgspec.Struct, frozen=True):
    """What `judge_` needs of the message that a candidate is for."""

    args: list[Value]
    kwargs: dict[str, Value]
    examples: list[Example]


def perform(thought: Thought, receiver: str, verb: str, message: Message, path: str) -> Thinking[Value]:
    """Perform the primitive `verb` of the thought on `receiver`; METHOD_FAILED where the arguments do not fit it."""
    primitive = thought.primitives.get(verb)
    if primitive is None:
        raise BatosError("UNKNOWN_METHOD", f"no actor of this system serves the primitive {verb}")
    try:
        bound = inspect.signature(primitive).bind(thought, receiver, path, *message.args, **message.kwargs)
    except TypeError as error:
        raise BatosError("METHOD_FAILED", f"{verb}: {error}", selector=verb) from error
    return (yield from primitive(*bound.args, **bound.kwargs))


def infer(  # noqa: PLR0917  the seed's signature, and what a row needs
    thought: Thought,
    receiver: str,  # noqa: ARG001  every primitive has a receiver
    path: str,
    query: Value,
    system_prompt: Value = None,
    adapter_name: Value = None,
    n: Value = None,
    schema: Value = None,
    grammar: Value = None,
    sampling: Value = None,
    seed: Value = 0,
    max_tokens: Value = 256,
) -> Thinking[Value]:
    """A text, or with `n` a list of those of `n` texts that ended. `query` is a text or a list of turns.

    `sampling` is one {"temperature", "top_p"}, or a list of `n`. A constrained text that was cut short is a failure,
    never a guess: alone it fails the send, among `n` it is left out.
    """
    count = 1 if n is None else n
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MAX_ROWS:
        raise BatosError("METHOD_FAILED", f"infer_: n must be 1 to {MAX_ROWS}")
    manners = sampling if isinstance(sampling, list) else [sampling or {}] * count
    if len(manners) != count:
        raise BatosError("METHOD_FAILED", f"infer_: {len(manners)} samplings for {count} texts")
    turns = [{"role": "user", "content": query}] if isinstance(query, str) else query
    if not isinstance(turns, list):
        raise BatosError("METHOD_FAILED", f"infer_: a query is a str or a list of turns, not a {type(query).__name__}")
    if system_prompt is not None:
        turns = [{"role": "system", "content": system_prompt}, *turns]
    rows = [
        _typed(
            {
                "turns": turns,
                "expert": adapter_name,
                "sampling": manner,
                "seed": (_integer(seed, "seed") + number) % 2**63,
                "schema": schema,
                "grammar": grammar,
                "max_tokens": max_tokens,
            }
        )
        for number, manner in enumerate(manners)
    ]
    inferred: Inferred = yield Call(path=path, service="inference", verb="infer", request=Infer(rows=rows), keep=True)
    thought.spend_tokens(sum(row.tokens for row in inferred.rows))
    for running in thought.chain:
        running.model = inferred.model
    constrained = schema is not None or grammar is not None
    whole = [row.text for row in inferred.rows if row.finish == "stop" or not constrained]
    if n is not None:
        return whole
    if not whole:
        raise BatosError("GENERATION_FAILED", f"infer_: the text did not end within {max_tokens} tokens")
    return whole[0]


def clone(thought: Thought, receiver: str, path: str) -> Thinking[Value]:  # noqa: ARG001
    """A copy of the receiver, by the rules of `UvmObject`; it is stored when the mandate is published."""
    yield from ()  # a generator like every primitive
    return thought.overlay.clone(receiver)


def judge(  # noqa: PLR0917  bound from a message's arguments
    thought: Thought, receiver: str, path: str, target: Value, source: Value, message: Value
) -> Thinking[Value]:
    """Judge a candidate for `message` to `target`, and try it on the message's examples and on the message itself.

    Returns {"verdict", "violations", "cases", "result", "problem"}: `result` is what the message would do, `problem`
    one sentence on why the candidate does not do, or "" where it does.
    """
    running = _running(thought, receiver)
    oid = _reference(target)
    kernel = thought.overlay.is_kernel(oid)
    asked = codec.convert(message, Asked)
    trial = Trial(
        source=_text(source, "source"),
        receiver=Ref(oid),
        slots=thought.overlay.visible(oid, kernel=kernel),
        args=asked.args,
        kwargs=asked.kwargs,
        examples=asked.examples,
        kernel=kernel,
    )
    tried: Tried = yield Call(path=path, service="guardian", verb="trial", request=trial, keep=True)
    running.attempts += 1
    problem = _problem(tried)
    sha256 = digest(trial.source)
    yield Judged(cycle=running.cycle, sha256=sha256, verdict=tried.verdict, problem=problem, source=trial.source)
    return {
        "verdict": tried.verdict,
        "violations": [msgspec.to_builtins(violation) for violation in tried.violations],
        "cases": [msgspec.to_builtins(case) for case in tried.cases],
        "result": _result(tried),
        "problem": problem,
    }


def install(thought: Thought, receiver: str, path: str, target: Value, source: Value) -> Thinking[Value]:
    """Put an accepted method on `target`, in the overlay; its sha256. REFUSED where the guardian says no."""
    running = _running(thought, receiver)
    oid = _reference(target)
    request = Judge(source=_text(source, "source"), kernel=thought.overlay.is_kernel(oid))
    verdict: Verdict = yield Call(path=path, service="guardian", verb="judge", request=request, keep=True)
    if not verdict.accepted:
        first = verdict.violations[0]
        raise BatosError(
            "REFUSED", f"{first.rule} at line {first.line}: {first.message}", rule=first.rule, line=first.line
        )
    if oid != running.target or verdict.selector != running.selector:
        raise BatosError("REFUSED", f"this cycle answers {running.selector}, and may install nothing else")
    contract = thought.contracts.get((oid, verdict.selector))
    draft = Draft(
        selector=verdict.selector,
        source=request.source,
        sha256=digest(request.source),
        parameters=verdict.parameters,
        author=running.cycle,
        model=running.model,
        examples=[example_value(example) for example in contract.examples] if contract else [],
    )
    thought.overlay.write(oid, {draft.selector: draft})
    return draft.sha256


def become(thought: Thought, receiver: str, path: str, name: Value) -> Thinking[Value]:  # noqa: ARG001
    """Enter the state `name`: the context's `synthesis_state*` becomes that prototype."""
    running = _running(thought, receiver)
    states = thought.overlay.own(thought.overlay.root_oid("psm_prototypes_obj"))
    if name not in states:
        raise BatosError("METHOD_FAILED", f"become_: there is no state {name!r}, only {', '.join(states)}")
    yield from ()
    thought.overlay.write(running.context, {"synthesis_state*": states[name]})
    return None


def doom(thought: Thought, receiver: str, path: str, error: Value) -> Thinking[Value]:  # noqa: ARG001
    """End the cycle badly; nothing of it is published."""
    running = _running(thought, receiver)
    yield from ()
    raise Doomed("NOT_SYNTHESIZED", f"{running.selector}: {error}", "See `batos cycle show`.", cycle=running.cycle)


PRIMITIVES: Final[dict[str, Callable[..., Thinking[Value]]]] = {
    "infer_": infer,
    "clone_": clone,
    "_clone_persistent_": clone,
    "judge_": judge,
    "install_": install,
    "become_": become,
    "doom_": doom,
}


def example_value(example: Example) -> Value:
    """An example as a plain value, as methods see it: absent keys stay absent."""
    return {name: value for name, value in msgspec.structs.asdict(example).items() if value is not msgspec.UNSET}


def _result(tried: Tried) -> Value:
    """What the original message would do, as candidates are compared by it."""
    match tried.outcome:
        case Done() as done:
            return {"returns": done.result, "changed": done.changed, "removed": done.removed}
        case Effect() as effect:
            return {"sends": effect.send.selector, "to": effect.send.receiver}
        case _:
            return None


def _problem(tried: Tried) -> str:
    for violation in tried.violations:
        return f"{violation.rule} at line {violation.line}: {violation.message}"
    for case in tried.cases:
        if not case.passed:
            return case.message
    match tried.outcome:
        case Failed() as failed:
            return f"on the message itself: {failed.error}: {failed.message}"
        case Effect() as effect if tried.cases:
            return f"on the message itself: it sends {effect.send.selector}, as no example does"
        case None:
            return "it was not tried"
        case _:
            return ""


def _running(thought: Thought, receiver: str) -> RunningCycle:
    """The cycle whose context `receiver` is."""
    for running in thought.chain:
        if running.context == receiver:
            return running
    raise BatosError("METHOD_FAILED", "only the context of a running cycle can do that")


def _reference(value: Value) -> str:
    if not isinstance(value, Ref):
        raise BatosError("METHOD_FAILED", f"expected an object, got a {type(value).__name__}")
    return value.oid


def _text(value: Value, what: str) -> str:
    if not isinstance(value, str):
        raise BatosError("METHOD_FAILED", f"{what} must be a str, not a {type(value).__name__}")
    return value


def _integer(value: Value, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BatosError("METHOD_FAILED", f"{what} must be an int, not a {type(value).__name__}")
    return value


def _typed(row: dict[str, Any]) -> Row:
    try:
        return codec.convert(row, Row)
    except BatosError as error:
        raise BatosError("METHOD_FAILED", f"infer_: {error.message}") from error
