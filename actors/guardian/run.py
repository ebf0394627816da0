"""A method's run, inside the jail: one snapshot, the answers so far, one outcome.

The receiver is a `Ref` like every other, told apart by identity: attributes of exactly this object are its slots here,
attributes of any other reference leave the jail. So `self` crosses, compares and hashes as the reference that it is.

A send that has no answer yet leaves the jail inside the call, by `leave`. That returns with the answer where this process
is kept, and else never: so no `except` and no `finally` of the method ever sees that it waited, or that its process
ended there. A replay starts from the same snapshot with one more answer, and comes to the same place. What an answer
changed of the receiver's slots goes into the baseline too, and is therefore never this method's own change.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Callable
from types import CodeType, FrameType, TracebackType
from typing import Any, Final, NoReturn

from actors.guardian import bounds, facades, policy, tree
from protocol import codec, names
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.messages import Answer, Done, Effect, Failed, Outcome, Run, Send, Violation

MAX_MESSAGE: Final = 500
EXHAUSTION: Final[dict[type[BaseException], str]] = {
    MemoryError: "LIMIT_MEMORY",
    RecursionError: "LIMIT_RECURSION",
    SystemError: "LIMIT_INTERPRETER",
}
_FILE: Final = "<method>"
_NO_VALUE: Final = b""
"""Stands for the encoding of what is no value; every real encoding has at least one byte."""

Emit = Callable[[Outcome], NoReturn]
Leave = Callable[[Effect], Answer]


def perform(run: Run, emit: Emit, leave: Leave) -> NoReturn:
    """Run it, and hand the outcome to `emit`, which ends this process; a send without an answer goes to `leave`."""
    code = compile_source(run.source, kernel=run.kernel)
    if isinstance(code, Violation):
        emit(Failed(code="REFUSED", error=code.rule, message=code.message, line=code.line))
    play = _Play(run, emit, leave)
    try:
        result = play.method(code)(play.receiver, *run.args, **run.kwargs)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it ends here and is reported
        play.fail(error)
    play.finish(result)


def compile_source(source: str, *, kernel: bool) -> CodeType | Violation:
    """The code of the method in `source`, or the first violation of bounds and policy."""
    found = bounds.measure(source)
    if found:
        return found[0]
    module = tree.parse(source)
    if not isinstance(module, ast.Module):
        return module
    code = policy.compile_method(module, kernel=kernel)
    return code[0] if isinstance(code, list) else code


class _Play:
    """The live slots of one run, what they were, and the sends so far."""

    def __init__(self, run: Run, emit: Emit, leave: Leave) -> None:
        self.receiver = Ref(run.receiver.oid)
        self.slots: dict[str, Value] = run.slots
        self._baseline = self._encodings()
        self._signal: dict[str, bytes] | None = None
        self._answers = run.answers
        self._sends = 0
        self._emit = emit
        self._wait = leave

    def method(self, code: CodeType) -> Callable[..., Any]:
        """The one function of `code`. It is bound outside its own globals: by its bare name it is not to be had."""
        scope: dict[str, Any] = {}
        runtime = {
            "__builtins__": facades.make(self._read),
            "__name__": "method",
            "_getattr_": self._read,
            "_write_": self._write,
            "_signal_": self._signalled,
            "_guard_": self._guard,
            "_shown_": facades.shown,
            "_add_": facades.add,
            **facades.PATTERN_TYPES,
        }
        exec(code, runtime, scope)  # noqa: S102 - the one place where a method's code runs: in the jail, policed
        (function,) = scope.values()
        return function  # type: ignore[no-any-return]

    def finish(self, result: Any) -> NoReturn:
        """The method returned: the covenant is checked, and the result and the changes leave as values."""
        if self._sends < len(self._answers):
            self._diverged(f"it made {self._sends} sends, {len(self._answers)} were answered before")
        try:
            final = {slot: _encode(value) for slot, value in self.slots.items()}
            _encode(result)
            value = codec.normalize(result, "the result")
        except BatosError as error:
            self._refuse_value(error, 0)
        except (MemoryError, RecursionError) as error:
            self.fail(error)
        for slot in sorted(self._touched(final)):
            if self._signal is None or final.get(slot) != self._signal.get(slot):
                message = f"slot {slot!r} changed, and no self._p_changed = True followed the change"
                self._emit(Failed(code="COVENANT_BREACH", error="COVENANT_BREACH", message=message))
        changed, removed = self._changes(final)
        self._emit(Done(result=value, changed=changed, removed=removed, signalled=self._signal is not None))

    def fail(self, error: BaseException) -> NoReturn:
        """The method raised."""
        for kind, limit in EXHAUSTION.items():
            if isinstance(error, kind):
                self._emit(_exhausted(limit, _line(error.__traceback__)))
        if self._sends < len(self._answers):
            self._diverged(f"it failed after {self._sends} sends, {len(self._answers)} were answered before")
        text = str(error.args[0]) if isinstance(error, KeyError) and len(error.args) == 1 else str(error)
        name = type(error).__name__
        self._emit(
            Failed(code="METHOD_FAILED", error=name, message=_cap(text), line=_line(error.__traceback__)),
        )

    # What the method's own code calls --------------------------------------------------------------------------

    def _read(self, target: Any, name: str) -> Any:
        if type(target) is not Ref:
            return facades.attribute(target, name)
        if names.is_selector(name):
            return _Message(self, target, name)
        if target is not self.receiver:
            return self._send(Send(kind="read", receiver=target, selector=name))
        try:
            return self.slots[name]
        except KeyError:
            raise AttributeError(f"the object has no slot {name!r}") from None

    def _write(self, target: Any) -> _Writer:
        if target is self.receiver:
            return _Writer(self)
        if type(target) is Ref:
            raise TypeError("another object's slots cannot be written from here: send it a message")
        raise TypeError(f"a {facades.kind_name(target)} has no attributes that can be written")

    def _signalled(self) -> None:
        self._signal = self._encodings()

    def _guard(self) -> None:
        error = sys.exc_info()[1]
        if error is not None and isinstance(error, tuple(EXHAUSTION)):
            self.fail(error)

    # Sends -----------------------------------------------------------------------------------------------------

    def _send(self, send: Send) -> Any:
        n = self._sends
        try:
            _weigh([send.args, send.kwargs])
            args, kwargs = codec.normalize(send.args, "the arguments"), codec.normalize(send.kwargs, "the arguments")
            digest = digest_of(send)
        except BatosError as error:
            self._refuse_value(error, _here())
        if n == len(self._answers):
            sent = Send(kind=send.kind, receiver=send.receiver, selector=send.selector, args=args, kwargs=kwargs)
            self._answers.append(self._leave(n, sent))
        self._sends += 1
        answer = self._answers[n]
        if answer.digest != digest:
            self._diverged(f"send {n} is {send.selector} now, and was another before")
        self._apply(answer)
        if answer.error is not None:
            raise facades.SendFailed(answer.error.message, answer.error.code)
        return answer.value

    def _leave(self, n: int, send: Send) -> Answer:
        try:
            now = {slot: _encode(value) for slot, value in self.slots.items()}
        except BatosError as error:
            self._refuse_value(error, _here())
        changed, removed = self._changes(now)
        return self._wait(Effect(n=n, send=send, digest=digest_of(send), changed=changed, removed=removed))

    def _apply(self, answer: Answer) -> None:
        """What the send did to the receiver's slots: in place where a local name may hold the same list or dict."""
        for slot in answer.removed:
            self.slots.pop(slot, None)
            self._baseline.pop(slot, None)
            if self._signal is not None:
                self._signal.pop(slot, None)
        for slot, value in answer.changed.items():
            encoded = codec.encode(value)
            self._baseline[slot] = encoded
            if self._signal is not None:
                self._signal[slot] = encoded
            old = self.slots.get(slot)
            shared = sum(other is old for other in self.slots.values()) > 1
            if type(old) is list and type(value) is list and not shared:
                old[:] = value
            elif type(old) is dict and type(value) is dict and not shared:
                old.clear()
                old.update(value)
            else:
                self.slots[slot] = value

    # Changes ---------------------------------------------------------------------------------------------------

    def _encodings(self) -> dict[str, bytes]:
        return {slot: _encoding(value) for slot, value in self.slots.items()}

    def _touched(self, now: dict[str, bytes]) -> set[str]:
        return {slot for slot in now.keys() | self._baseline.keys() if now.get(slot) != self._baseline.get(slot)}

    def _changes(self, now: dict[str, bytes]) -> tuple[dict[str, Value], list[str]]:
        touched = self._touched(now)
        changed = {slot: codec.normalize(value) for slot, value in self.slots.items() if slot in touched}
        return changed, sorted(touched - now.keys())

    # Bad ends --------------------------------------------------------------------------------------------------

    def _refuse_value(self, error: BatosError, line: int) -> NoReturn:
        self._emit(
            Failed(code=error.code, error=error.data.get("type", error.code), message=_cap(error.message), line=line)
        )

    def _diverged(self, message: str) -> NoReturn:
        self._emit(Failed(code="REPLAY_DIVERGED", error="REPLAY_DIVERGED", message=message, line=_here()))


class _Message:
    """`target.selector_`, to be called: the call is the send."""

    __slots__ = ("_play", "_selector", "_target")

    def __init__(self, play: _Play, target: Ref, selector: str) -> None:
        self._play = play
        self._target = target
        self._selector = selector

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        send = Send(kind="send", receiver=self._target, selector=self._selector, args=list(args), kwargs=kwargs)
        return self._play._send(send)  # noqa: SLF001 - one piece with its run


class _Writer:
    """The receiver as a target: `=`, `+=`, `del` and loops write its slots through it."""

    __slots__ = ("_play",)

    def __init__(self, play: _Play) -> None:
        object.__setattr__(self, "_play", play)

    def __getattr__(self, name: str) -> Any:
        # Python asks this for the old value of `self.x += 1`.
        return self._play._read(self._play.receiver, name)  # noqa: SLF001

    def __setattr__(self, name: str, value: Any) -> None:
        self._play.slots[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self._play.slots[name]
        except KeyError:
            raise AttributeError(f"the object has no slot {name!r}") from None


def digest_of(send: Send) -> str:
    """What a replay must send again at the same place: sha256, in hex, of the send's canonical encoding."""
    content = [send.kind, send.receiver.oid, send.selector, send.args, send.kwargs]
    return hashlib.sha256(codec.encode(content)).hexdigest()


def _encode(value: Any) -> bytes:
    _weigh(value)
    return codec.encode(value)


def _weigh(value: Any) -> None:
    """TOO_LARGE before anything is copied: a small nest of shared lists can be worth gigabytes when written out."""
    weight = 0
    todo = [value]
    while todo:
        item = todo.pop()
        kind = type(item)
        if kind is str or kind is bytes:
            weight += len(item)
        elif kind is list or kind is tuple:
            todo.extend(item[: codec.MAX_VALUE_BYTES])
        elif kind is dict:
            todo.extend(item)
            todo.extend(item.values())
        weight += 1
        if weight > codec.MAX_VALUE_BYTES or len(todo) > codec.MAX_VALUE_BYTES:
            raise BatosError("TOO_LARGE", f"a value of more than {codec.MAX_VALUE_BYTES} bytes")


def _encoding(value: Any) -> bytes:
    try:
        return _encode(value)
    except BatosError:
        return _NO_VALUE


def _exhausted(limit: str, line: int) -> Failed:
    return Failed(code="BUDGET_EXCEEDED", error=limit, message=f"the run exceeded its limit: {limit}", line=line)


def _cap(text: str) -> str:
    clean = text.encode("utf-8", "backslashreplace").decode()
    return clean if len(clean) <= MAX_MESSAGE else clean[: MAX_MESSAGE - 1] + "…"


def _line(traceback: TracebackType | None) -> int:
    line = 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _FILE:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _here() -> int:
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
    while frame is not None:
        if frame.f_code.co_filename == _FILE:
            return frame.f_lineno
        frame = frame.f_back
    return 0
