"""Candidates before the guardian: the primitives `judge_` and `install_`.

The guardian tries a candidate on all its examples at once. Only where it sends, which the guardian does not perform, does
`actors.orchestrator.primitives.trials` go on.
"""

from __future__ import annotations

import msgspec

from actors.orchestrator.primitives import arguments, trials
from actors.orchestrator.primitives.contracts import freezing, holding
from actors.orchestrator.primitives.recollection import known, sourced
from actors.orchestrator.thinking import consent
from actors.orchestrator.thinking.asks import Judged, Thinking, call
from actors.orchestrator.thinking.overlay import Draft, Memo
from actors.orchestrator.thinking.thought import Sender, Thought
from protocol import codec, names, verbs
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.messages import Effect, Example, Failed, Judge, Trial, Tried
from world.method import digest


class Asked(msgspec.Struct, frozen=True):
    """What `judge_` needs of the message that a candidate is for."""

    args: list[Value]
    kwargs: dict[str, Value]
    examples: list[Example]
    is_sent: bool = True
    selector: str = ""


def judge(sender: Sender, target: Value, source: Value, message: Value) -> Thinking[Value]:
    """Judge a candidate for `message` to `target`, and try it on the message's examples and on the message itself.

    Returns {"sha256", "verdict", "violations", "cases", "result", "problem"}: `result` is what the message would do, `problem`
    one sentence on why the candidate does not do, or "" where it does.
    """
    running = sender.running()
    thought = sender.thought
    oid = arguments.reference(target)
    kernel = thought.overlay.is_kernel(oid)
    asked = codec.convert(message, Asked)
    trial = Trial(
        source=arguments.text(source, "source"),
        receiver=Ref(oid),
        slots=thought.overlay.visible(oid, kernel=kernel),
        args=asked.args,
        kwargs=asked.kwargs,
        examples=asked.examples,
        is_sent=asked.is_sent,
        kernel=kernel,
    )
    sha256 = digest(trial.source)
    tried = yield from call(verbs.TRIAL, trial, path=sender.path, keep=True)
    running.attempts += 1
    draft = Draft(
        selector=asked.selector or running.selector,
        source=trial.source,
        sha256=sha256,
        parameters=[],
        author=running.cycle,
        model=running.model,
        examples=[],
    )
    tried, read = yield from trials.complete(thought, trial, tried, draft, sender.path)
    running.frozen.update({(sha256, example): others for example, others in read.items()})
    running.tried[sha256] = tried
    problem = problem_of(tried, asked)
    if not problem:
        problem = yield from _broken(thought, oid, draft, sender.path, is_tried=True)
    yield Judged(cycle=running.cycle, sha256=sha256, verdict=tried.verdict, problem=problem, source=trial.source)
    return {
        "sha256": sha256,
        "verdict": tried.verdict,
        "violations": [msgspec.to_builtins(violation) for violation in tried.violations],
        "cases": [msgspec.to_builtins(case) for case in tried.cases],
        "result": consent.outcome(tried.outcome),
        "problem": problem,
    }


def install(sender: Sender, target: Value, source: Value, origin: Value = "") -> Thinking[Value]:
    """Put an accepted method on `target`, in the overlay; its sha256. REFUSED where the guardian says no.

    `origin` names the method of the world that was adopted. Its examples are kept with the slots and the objects that it reads.
    Where its user has the last word, it is kept for a proposal instead; a facet that only passes stands for this mandate.
    """
    running = sender.running()
    thought = sender.thought
    oid = arguments.reference(target)
    request = Judge(source=arguments.text(source, "source"), kernel=thought.overlay.is_kernel(oid))
    verdict = yield from call(verbs.JUDGE, request, path=sender.path, keep=True)
    if not verdict.accepted:
        first = verdict.violations[0]
        raise BatosError(
            "REFUSED", f"{first.rule} at line {first.line}: {first.message}", rule=first.rule, line=first.line
        )
    if oid != running.target or verdict.selector != running.selector:
        raise BatosError("REFUSED", f"this cycle answers {running.selector}, and may install nothing else")
    contract = thought.contracts.get((oid, verdict.selector))
    sha256 = digest(request.source)
    read = freezing.slots_read(thought.overlay, oid, request.source)
    draft = Draft(
        selector=verdict.selector,
        source=request.source,
        sha256=sha256,
        parameters=verdict.parameters,
        author=running.cycle,
        model=running.model,
        examples=[
            trials.frozen(thought.overlay, example, read, running.frozen.get((sha256, trials.digest_of(example)), {}))
            for example in (contract.examples if contract else [])
        ],
        intent=contract.intent if contract else "",
        origin=arguments.text(origin, "origin"),
        asked_by=consent.asked_by(thought),
        told=known(thought.ledger.told),
    )
    broken = yield from _broken(thought, oid, draft, sender.path, is_tried=False)
    if broken:
        raise BatosError("REFUSED", f"{draft.selector} {broken}")
    if consent.may_install(thought, oid, draft.selector):
        thought.overlay.write(oid, {draft.selector: draft})
        thought.overlay.remember(memo_of(thought, oid, draft))
    elif consent.is_passing(thought, oid, draft.selector):
        thought.overlay.write(oid, {draft.selector: msgspec.structs.replace(draft, lasts=False)})
    else:
        running.draft = draft
    return draft.sha256


def _broken(thought: Thought, oid: str, draft: Draft, path: str, *, is_tried: bool) -> Thinking[str]:
    """Whose contract the method breaks in the place of the one that stands there, in a few words; "" for nobody's.

    One that `is_tried` holds its own. Whether another one does is no matter of the machine's states, which are source in the world.
    """
    contract = thought.contracts.get((oid, draft.selector))
    is_accepted = contract is not None and contract.learn is not None and contract.learn.drop_contract
    if is_accepted or draft.selector not in thought.overlay.own(oid):
        return ""
    mark = thought.overlay.push()
    try:
        thought.overlay.write(oid, {draft.selector: draft})
        broken = None if is_tried else (yield from holding.first_broken(thought, oid, draft, f"{path}.own"))
        if broken is None:
            broken = yield from holding.first_broken_sender(thought, oid, [draft], draft.selector, path)
    finally:
        thought.overlay.restore(mark)
    return "" if broken is None else f"breaks the contract of {broken.method}: {holding.told(broken)}"


def memo_of(thought: Thought, oid: str, draft: Draft) -> Memo:
    """A new method as memory finds it again when a similar one must be written."""
    words = draft.selector.replace("_", " ").strip()
    said = "\n\n".join(part for part in (words, draft.intent, draft.source) if part)
    metadata: dict[str, Value] = {
        "kind": "method",
        "selector": draft.selector,
        "object": thought.overlay.name(oid) or oid,
        "sha256": draft.sha256,
        "cycle": draft.author,
        "mandate": thought.mandate,
        "source": draft.source,
        "intent": draft.intent,
    }
    return Memo(_doc_id(oid, draft.selector), said, sourced(metadata, draft.told or ()))


def gone_memo(oid: str, selector: str) -> Memo:
    """That memory need not find the method any more."""
    return Memo(_doc_id(oid, selector), "", {}, is_gone=True)


def _doc_id(oid: str, selector: str) -> str:
    return f"{names.METHOD_DOC}{oid}:{selector}"


def problem_of(tried: Tried, asked: Asked) -> str:
    """One sentence on why a method that was tried does not do, or "" where it does."""
    for violation in tried.violations:
        return f"{violation.rule} at line {violation.line}: {violation.message}"
    for case in tried.cases:
        if not case.passed:
            return case.message
    if not asked.is_sent:
        return ""
    match tried.outcome:
        case Failed() as failed:
            return f"on the message itself: {failed.error}: {failed.message}"
        case Effect() as effect if tried.cases and not any(example.replies for example in asked.examples):
            return f"on the message itself: it sends {effect.send.selector}, as no example does"
        case None:
            return "it was not tried"
        case _:
            return ""
