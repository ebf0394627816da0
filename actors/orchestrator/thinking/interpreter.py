"""Sends: lookup, the run of a method with its effects and replays, and what happens to a message nobody understands.

A method runs in the guardian's jail on a snapshot of its receiver. Where it sends, that send is performed here, and the
run goes on with the answer: in the child that waits for it, or, where there is none any more, in a new one that runs
again from the first snapshot with all answers so far. Both come to the same. So the jail holds nothing that may not be
lost, any crash resumes, and the list of answers is the exact trace of the run. A run that is given up is not said
goodbye to: its child is stopped, and the guardian drops it soon.

The layers of the overlay follow the sends. While a method waits for an answer, its unfinished changes stand in a layer
of their own, visible to the nested send and dropped afterwards; what the nested send changed is kept. `Done` then
writes the method's own changes.

In a trial (`Thought.trial`) all of this is the same, except that nobody writes what is not understood, that what would
leave the world is answered by the example, and that no trace is kept.
"""

from __future__ import annotations

from typing import Final

import msgspec

from actors.orchestrator.journal.journal import Answered
from actors.orchestrator.thinking import consent, primitive
from actors.orchestrator.thinking.asks import Thinking, call
from actors.orchestrator.thinking.overlay import OPAQUE, Draft, Overlay, Place
from actors.orchestrator.thinking.thought import Message, Sender, Thought, Uncaught, Untried
from protocol import codec, names, verbs
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.failure import Failure, failure_of, raised_from
from protocol.messages import Answer, Awaiting, Done, Effect, Failed, Ran, Resume, Run, Send
from world.method import UvmMethod

NOT_UNDERSTOOD: Final = "_doesNotUnderstand_"
MAX_RUN: Final = codec.MAX_FRAME_BYTES - (1 << 16)
"""Bytes of a run with all its answers: it must fit a frame whenever it is to be run again, whether it ever is or not."""


class Caller(msgspec.Struct, frozen=True):
    """Who waits in the jail for the reply to a send: the run of a method with this receiver, under `suspended`."""

    receiver: str
    suspended: str
    digest: str


def send(thought: Thought, receiver: str, message: Message, path: str, caller: Caller | None = None) -> Thinking[Value]:
    """Send a message to the object `receiver` (an OID); its changes are in the overlay's top layer afterwards.

    Raises a BatosError, and then the overlay is as it was before.
    """
    _enter(thought, receiver, path)
    place = thought.overlay.lookup(receiver, message.selector)
    if place is None:
        place = thought.overlay.lookup(receiver, NOT_UNDERSTOOD)
        if thought.trial is not None and place is not None and thought.overlay.is_kernel(place.holder):
            told = f"it sent {message.selector}, which its receiver does not understand"
            raise Untried(Untried.NOBODY, told, (message.selector, receiver))
        message = Message(NOT_UNDERSTOOD, [message.selector, message.args, message.kwargs])
    if place is None or not isinstance(place.value, (UvmMethod, Draft)):
        raise BatosError(
            "UNKNOWN_METHOD",
            f"the object does not understand the message, and inherits no {NOT_UNDERSTOOD} either",
            "Give it a parent that leads to traits_obj.",
        )
    mark = thought.overlay.push()
    try:
        result = yield from _perform(thought, receiver, place, message, path, caller=caller)
    except BaseException:
        thought.overlay.restore(mark)
        raise
    thought.overlay.merge()
    return result


def _enter(thought: Thought, receiver: str, path: str) -> None:
    """A send begins, unless sends are nested too deeply."""
    most = thought.limits.depth
    if thought.trial is not None:
        thought.trial.seen[receiver] = None
    if path.count(".") < most:
        return
    if thought.trial is not None:
        raise Untried(Untried.BUDGET, f"its sends are nested deeper than {most}")
    raise BatosError("BUDGET_EXCEEDED", f"sends are nested deeper than {most}", path=path)


def _perform(
    thought: Thought, receiver: str, place: Place, message: Message, path: str, *, caller: Caller | None
) -> Thinking[Value]:
    method = place.value
    if isinstance(method, UvmMethod) and method.primitive is not None:
        return (yield from primitive.perform(Sender(thought, receiver, path), method.primitive, message))
    return (yield from _run(thought, receiver, place, message, path, caller=caller))


def _run(
    thought: Thought, receiver: str, place: Place, message: Message, path: str, *, caller: Caller | None
) -> Thinking[Value]:
    overlay = thought.overlay
    kernel = overlay.is_privileged(place.holder, place.value.selector)
    run = Run(
        source=str(place.value.source),
        receiver=Ref(receiver),
        slots=overlay.visible(receiver, kernel=kernel),
        args=message.args,
        kwargs=message.kwargs,
        kernel=kernel,
        suspend=True,
    )
    if thought.trial is not None:
        run = msgspec.structs.replace(run, seconds=thought.trial.seconds)
    size: int | None = None
    suspended = ""
    while True:
        ran = yield from _go_on(thought, run, suspended, _then(thought, receiver, caller), path)
        suspended = ran.suspended
        match ran.outcome:
            case Done() as done:
                thought.onward = ran.onward
                _write(thought, receiver, done)
                return done.result
            case Effect() as effect:
                size = len(codec.pack(run)) if size is None else size
                me = Caller(receiver, suspended, effect.digest)
                answer = yield from _answer(thought, me, effect, kernel, f"{path}.{effect.n}")
                size += len(codec.pack(answer))
                if size > MAX_RUN:
                    raise BatosError(
                        "TOO_LARGE",
                        f"a run and the answers to its {effect.n + 1} sends come to {size} bytes, at most {MAX_RUN}",
                        "Send less at once, or keep the data in an object and send a reference to it.",
                    )
                run = msgspec.structs.replace(run, answers=[*run.answers, answer])
            case Failed(error="SendFailed") as failed if run.answers and _is_that(failed, run.answers[-1]):
                # Nobody caught it: the sender of this message learns what really happened.
                raise raised_from(run.answers[-1].error or Failure("INTERNAL", failed.message))
            case Failed() as failed:
                raise _failure(failed, place.value.selector)


def _go_on(thought: Thought, run: Run, suspended: str, then: Awaiting | None, path: str) -> Thinking[Ran]:
    """The run up to its next send, or its end: in the child that waits under `suspended`, or from the start.

    It may have gone on already, with what the answer should be. That counts where it is the answer to the byte.
    """
    onward, thought.onward = thought.onward, None
    if onward is not None and onward.suspended == suspended:
        if onward.answer == codec.digest(run.answers[-1]):
            return onward.ran
        thought.guesses = False
    elif suspended:
        request = Resume(suspended=suspended, answer=run.answers[-1], then=then)
        resumed = yield from call(verbs.RESUME, request, path=path, keep=False)
        if resumed.ran is not None:
            return resumed.ran
    begun = msgspec.structs.replace(run, then=then)
    return (yield from call(verbs.RUN, begun, path=path, keep=False))


def _then(thought: Thought, receiver: str, caller: Caller | None) -> Awaiting | None:
    """Who may go on as soon as this run has returned: the caller, where nothing else has changed what it sees."""
    if caller is None or not caller.suspended or not thought.guesses or thought.overlay.is_touched(caller.receiver):
        return None
    return Awaiting(suspended=caller.suspended, digest=caller.digest, shared=receiver == caller.receiver)


def _answer(thought: Thought, me: Caller, effect: Effect, kernel: bool, path: str) -> Thinking[Answer]:
    """Perform a method's send while its changes so far are visible, and say what it did to the receiver."""
    overlay, receiver = thought.overlay, me.receiver
    thought.onward = None
    thought.spend_effect()
    tokens = thought.tokens
    mark = overlay.push()  # the method's unfinished changes
    _write(thought, receiver, effect)
    if effect.changed:
        overlay.visible(receiver, kernel=kernel)  # TOO_LARGE before the send, not after it
    overlay.push()  # what the nested send does
    try:
        value = yield from _dispatch(thought, me, effect.send, path)
    except BatosError as error:
        overlay.restore(mark)
        if error.is_fatal or isinstance(error, Uncaught):
            raise
        answer = Answer(digest=effect.digest, error=failure_of(error))
    else:
        changed, removed = _done_to(overlay, receiver, kernel)
        nested = overlay.drop()
        overlay.restore(mark)
        overlay.merge(nested)
        answer = Answer(digest=effect.digest, value=value, changed=changed, removed=removed)
    if thought.trial is not None:
        return answer
    yield Answered(
        cycle=thought.cycle,
        state=thought.state,
        path=path,
        send=effect.send.selector,
        size=len(codec.encode(answer.value)),
        tokens=thought.tokens - tokens,
    )
    return answer


def _done_to(overlay: Overlay, receiver: str, kernel: bool) -> tuple[dict[str, Value], list[str]]:
    """What the top layer changes of the slots that a method with this receiver sees, and what it takes away."""
    if not overlay.is_touched(receiver):
        return {}, []
    after = overlay.visible(receiver, kernel=kernel)
    nested = overlay.drop()
    before = overlay.visible(receiver, kernel=kernel)
    overlay.push(nested)
    changed = {name: new for name, new in after.items() if not _same(before, name, new)}
    return changed, [name for name in before if name not in after]


def _dispatch(thought: Thought, me: Caller, message: Send, path: str) -> Thinking[Value]:
    if message.kind == "read":
        return _read(thought, message.receiver.oid, message.selector)
    if not names.is_selector(message.selector):
        raise BatosError("BAD_SELECTOR", f"{message.selector!r} is a slot, not a message")
    sent = Message(message.selector, message.args, message.kwargs)
    return (yield from send(thought, message.receiver.oid, sent, path, me))


def _read(thought: Thought, oid: str, slot: str) -> Value:
    """Another object's data slot, inherited ones too."""
    if thought.trial is not None:
        thought.trial.seen[oid] = None
    place = thought.overlay.lookup(oid, slot)
    hidden = slot.startswith("_") or names.is_delegation(slot)
    if place is None or hidden or place.value is OPAQUE or isinstance(place.value, (UvmMethod, Draft)):
        raise BatosError("METHOD_FAILED", f"the other object has no data slot {slot!r}", oid=oid)
    return place.value


def _write(thought: Thought, receiver: str, outcome: Done | Effect) -> None:
    own = thought.overlay.own(receiver)
    if names.LEARNING in outcome.changed or names.LEARNING in outcome.removed:
        raise BatosError("REFUSED", f"no method writes {names.LEARNING}; only its user does", "Set it: `batos set`.")
    for name in outcome.removed:
        if name not in own:
            raise BatosError("METHOD_FAILED", f"the slot {name!r} is inherited; it cannot be deleted from the heir")
    if outcome.changed or outcome.removed:
        consent.check_change(thought, receiver)
        thought.overlay.write(receiver, outcome.changed, outcome.removed)


def _same(slots: dict[str, Value], name: str, value: Value) -> bool:
    return name in slots and (slots[name] is value or codec.encode(slots[name]) == codec.encode(value))


def _is_that(failed: Failed, answer: Answer) -> bool:
    """Whether a run failed of the `SendFailed` that this answer raised in it."""
    return answer.error is not None and answer.error.message.startswith(failed.message.removesuffix("…"))


def _failure(failed: Failed, selector: str) -> BatosError:
    place = f" at line {failed.line}" if failed.line else ""
    hints = {
        "COVENANT_BREACH": "A method that changes its object must end every such path with self._p_changed = True.",
        "LOST_CHANGE": "Read the slot again after the send, and change what it holds then.",
        "BUDGET_EXCEEDED": "The method used more time or memory than one run may.",
    }
    # A single run that exhausts its jail is the method's failure, which its caller may survive.
    code = "METHOD_FAILED" if failed.code == "BUDGET_EXCEEDED" else failed.code
    return BatosError(
        code,
        f"{selector}{place}: {failed.error}: {failed.message}"
        if failed.message
        else f"{selector}{place}: {failed.error}",
        hints.get(failed.error, hints.get(failed.code, "")),
        selector=selector,
        line=failed.line,
        error=failed.error,
    )
