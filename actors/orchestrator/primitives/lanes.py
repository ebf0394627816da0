"""Many sends at once: the primitive `send_all_`.

Each send is a lane: a thought of its own over what its sender sees now. Lanes take turns, and where all of them wait for
texts, those are asked for in one batch, which is what makes the facets of a plan cost little more than the longest
of them. Lanes do not see each other's changes; what they changed is merged in order, and must not meet.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from actors.orchestrator.journal.journal import Answered
from actors.orchestrator.primitives import arguments
from actors.orchestrator.thinking.asks import RemoteCall, Thinking, call
from actors.orchestrator.thinking.interpreter import send
from actors.orchestrator.thinking.thought import Message, Sender, Thought, Uncaught
from protocol import codec, names, verbs
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import MAX_ROWS, Infer

MAX_LANES: Final = 16


class Lane:
    """One send on its way: what it waits for, and at its end `result`, or the `error` that ended it."""

    def __init__(self, thought: Thought, receiver: str, message: Message, path: str) -> None:
        self.thought = thought
        self.path = path
        self.selector = message.selector
        self.waits: RemoteCall | None = None
        self.result: Value = None
        self.error: BatosError | None = None
        self._thinking = send(thought, receiver, message, path)

    def advance(self, answer: Any = None, error: BatosError | None = None) -> Thinking[None]:
        """Go on until this lane waits for texts or has ended; all else that it asks for is passed on."""
        self.waits = None
        while True:
            try:
                ask = self._thinking.send(answer) if error is None else self._thinking.throw(error)
            except StopIteration as stop:
                self.result = stop.value
                return
            except BatosError as raised:
                if raised.is_fatal or isinstance(raised, Uncaught):
                    raise
                self.error = raised
                return
            if isinstance(ask, RemoteCall) and isinstance(ask.request, Infer):
                self.waits = ask
                return
            answer, error = None, None
            try:
                answer = yield ask
            except BatosError as raised:
                error = raised


def send_all(sender: Sender, sends: Value, failing: Value = False) -> Thinking[Value]:
    """The replies to `[[receiver, selector, args, kwargs], …]`, in order. The first lane that fails fails all of them.

    With `failing` a lane may fail by itself: then each reply is {"result"} or {"error"}, and of a lane that has failed no change lasts.
    CONFLICTING_LANES where two lanes have written the same slot.
    """
    thought, path = sender.thought, sender.path
    lanes = [_lane(thought, item, f"{path}.{number}") for number, item in enumerate(_listed(sends))]
    for lane in lanes:
        yield from lane.advance()
        if not failing:
            _raise_first(lanes)
    turn = 0
    while waiting := [lane for lane in lanes if lane.waits is not None]:
        yield from _together(waiting, f"{path}.texts{turn}")
        if not failing:
            _raise_first(lanes)
        turn += 1
    thought.tokens += sum(lane.thought.tokens for lane in lanes)
    _merge(thought, [lane for lane in lanes if lane.error is None])
    if thought.trial is None:
        yield from _trace(thought, lanes)
    if not failing:
        return [lane.result for lane in lanes]
    return [{"result": lane.result} if lane.error is None else {"error": lane.error.message} for lane in lanes]


def _trace(thought: Thought, lanes: list[Lane]) -> Thinking[None]:
    """Each lane is a step of its own: nothing else says which message it was."""
    for lane in lanes:
        yield Answered(
            cycle=thought.cycle,
            state=thought.state,
            path=lane.path,
            send=lane.selector,
            size=len(codec.encode(lane.result)),
            tokens=lane.thought.tokens,
        )


def _lane(thought: Thought, item: Value, path: str) -> Lane:
    match item:
        case [receiver, str() as selector, list() as args, dict() as kwargs] if names.is_selector(selector):
            return Lane(thought.lane(), arguments.reference(receiver), Message(selector, args, kwargs), path)
    raise BatosError("METHOD_FAILED", "send_all_: each send must be [receiver, selector, args, kwargs]")


def _raise_first(lanes: list[Lane]) -> None:
    for lane in lanes:
        if lane.error is not None:
            raise lane.error


def _listed(sends: Value) -> list[Value]:
    if not isinstance(sends, list) or len(sends) > MAX_LANES:
        raise BatosError("METHOD_FAILED", f"send_all_ takes a list of at most {MAX_LANES} sends")
    return sends


def _together(waiting: list[Lane], path: str) -> Thinking[None]:
    """Ask for the texts that the lanes wait for: in one batch, or as many as the rows need."""
    batch: list[tuple[Lane, RemoteCall]] = []
    rows = 0
    for lane in waiting:
        if lane.waits is None:
            continue
        if rows + len(lane.waits.request.rows) > MAX_ROWS:
            break
        rows += len(lane.waits.request.rows)
        batch.append((lane, lane.waits))
    request = Infer(
        rows=[row for _, waits in batch for row in waits.request.rows],
        stream=any(waits.request.stream for _, waits in batch),
    )
    voices = tuple(voice for _, waits in batch for voice in waits.voices)
    drawing = next((waits.drawing for _, waits in batch if waits.drawing is not None), None)
    try:
        inferred = yield from call(verbs.INFER, request, path=path, keep=True, voices=voices, drawing=drawing)
    except BatosError as error:
        if error.is_fatal:
            raise
        for lane, _ in batch:
            yield from lane.advance(error=error)
        return
    place = 0
    for lane, waits in batch:
        share = inferred.rows[place : place + len(waits.request.rows)]
        place += len(share)
        yield from lane.advance(msgspec.structs.replace(inferred, rows=share))


def _merge(thought: Thought, lanes: list[Lane]) -> None:
    layers = [lane.thought.overlay.drop() for lane in lanes]
    written: set[tuple[str, str]] = set()
    for layer in layers:
        mine = {(oid, slot) for oid, slots in layer.slots.items() for slot in slots}
        both = sorted(mine & written)
        if both:
            raise BatosError("CONFLICTING_LANES", f"two sends of one send_all_ have both written {both[0][1]}")
        written |= mine
    for layer in layers:
        thought.overlay.merge(layer)
