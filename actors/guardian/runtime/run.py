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

from actors.guardian.policy import bounds, policy, tree
from actors.guardian.runtime import facades, telling, weight
from actors.guardian.runtime.slots import Detached, Slots
from protocol import codec, names
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Answer, Done, Effect, Failed, Outcome, Run, Send, Violation

MAX_MESSAGE: Final = 500
EXHAUSTION: Final[dict[type[BaseException], str]] = {
    MemoryError: "LIMIT_MEMORY",
    RecursionError: "LIMIT_RECURSION",
    SystemError: "LIMIT_INTERPRETER",
}
_FILE: Final = "<method>"

Emit = Callable[[Outcome], NoReturn]
Leave = Callable[[Effect], Answer]


def perform(run: Run, code: CodeType, emit: Emit, leave: Leave) -> NoReturn:
    """Run the compiled method `code`, and hand the outcome to `emit`, which ends this process; a send without an answer
    goes to `leave`.
    """
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
        self.slots = Slots(run.slots)
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
            "_multiply_": facades.multiply,
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
            final = self.slots.encodings()
            weight.weigh(result)
            value = codec.normalize(result, "the result")
            codec.encode(value)
        except BatosError as error:
            self._refuse_value(error, 0)
        except (MemoryError, RecursionError) as error:
            self.fail(error)
        slot = self.slots.unsignalled(final)
        if slot is not None:
            message = f"slot {slot!r} changed, and no self._p_changed = True followed the change"
            self._emit(Failed(code="COVENANT_BREACH", error="COVENANT_BREACH", message=message))
        lost = self.slots.lost()
        if lost is not None:
            self._emit(Failed(code="COVENANT_BREACH", error="LOST_CHANGE", message=_lost(lost)))
        changed, removed = self.slots.changes(final)
        self._emit(Done(result=value, changed=changed, removed=removed, signalled=self.slots.signalled))

    def fail(self, error: BaseException) -> NoReturn:
        """The method raised."""
        for kind, limit in EXHAUSTION.items():
            if isinstance(error, kind):
                self._emit(_exhausted(limit, _line(error.__traceback__)))
        if self._sends < len(self._answers):
            self._diverged(f"it failed after {self._sends} sends, {len(self._answers)} were answered before")
        is_key = isinstance(error, KeyError) and len(error.args) == 1 and type(error.args[0]) is str
        text = error.args[0] if is_key else telling.text_of(error, MAX_MESSAGE)
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
            return self.slots.read(name)
        except KeyError:
            raise AttributeError(f"the object has no slot {name!r}") from None

    def _write(self, target: Any) -> _Writer:
        if target is self.receiver:
            return _Writer(self)
        if type(target) is Ref:
            raise TypeError("another object's slots cannot be written from here: send it a message")
        raise TypeError(f"a {facades.kind_name(target)} has no attributes that can be written")

    def _signalled(self) -> None:
        self.slots.signal()

    def _guard(self) -> None:
        error = sys.exc_info()[1]
        if error is not None and isinstance(error, tuple(EXHAUSTION)):
            self.fail(error)
        if error is not None:
            telling.clean(error)

    # Sends -----------------------------------------------------------------------------------------------------

    def _send(self, send: Send) -> Any:
        n = self._sends
        try:
            weight.weigh([send.args, send.kwargs])
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
            changed, removed = self.slots.changes(self.slots.encodings())
        except BatosError as error:
            self._refuse_value(error, _here())
        return self._wait(Effect(n=n, send=send, digest=digest_of(send), changed=changed, removed=removed))

    def _apply(self, answer: Answer) -> None:
        """What the send did to the receiver's slots."""
        self.slots.apply(answer, self._sends)

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

    def __repr__(self) -> str:
        return self._selector  # Python puts it into what it raises


class _Writer:
    """The receiver as a target: `=`, `+=`, `del` and loops write its slots through it."""

    __slots__ = ("_play",)

    def __init__(self, play: _Play) -> None:
        object.__setattr__(self, "_play", play)

    def __getattr__(self, name: str) -> Any:
        # Python asks this for the old value of `self.x += 1`.
        return self._play._read(self._play.receiver, name)  # noqa: SLF001

    def __setattr__(self, name: str, value: Any) -> None:
        self._play.slots.write(name, value)

    def __delattr__(self, name: str) -> None:
        try:
            self._play.slots.remove(name)
        except KeyError:
            raise AttributeError(f"the object has no slot {name!r}") from None


def digest_of(send: Send) -> str:
    """What a replay must send again at the same place: sha256, in hex, of the send's canonical encoding."""
    content = [send.kind, send.receiver.oid, send.selector, send.args, send.kwargs]
    return hashlib.sha256(codec.encode(content)).hexdigest()


def _lost(lost: Detached) -> str:
    return (
        f"a {type(lost.container).__name__} of slot {lost.slot!r}, bound before send {lost.number}, was changed after it: "
        f"that send changed the slot, which holds it no more"
    )


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
