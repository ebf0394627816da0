"""The children that read, from the side of the command: started when they are needed, ended when a file keeps one too long."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

import protocol
from cli.reading.child import LENGTH, MEMORY, Asked, Told
from cli.reading.readings import Reading, no_text, too_large
from protocol.errors import BatosError

SECONDS: Final = 120.0
"""Seconds that one file may take: twice what it may have of a processor, since others want that too."""
MAX_ANSWER: Final = MEMORY
"""Bytes of an answer: a child cannot hold more, and what has taken one over must not have us ask for more memory than there is."""

_START: Final = "import sys; sys.path[:] = sys.argv[1].split(chr(10)); from cli.reading.child import main; main()"


class Children:
    """As many children as there are files read at once; from any thread. They end with the block."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._all: set[subprocess.Popen[bytes]] = set()
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over = True
        while not self._idle.empty():
            child = self._idle.get()
            self._all.discard(child)
            _end(child)
        for child in list(self._all):  # nobody waits any more for what these read, and their threads put them away
            child.kill()

    def read(self, kind: str, name: str, data: bytes) -> Reading:
        """What is in the bytes of a file. BAD_DOCUMENT, or TOO_LARGE where it takes too much time or memory."""
        child = self._free()
        is_late = threading.Event()

        def late() -> None:
            is_late.set()
            child.kill()

        timer = threading.Timer(self._seconds, late)
        timer.start()
        try:
            told = _asked(child, Asked(kind, name, data))
        finally:
            timer.cancel()
        if told is None:
            raise self._died(child, is_late=is_late.is_set())
        self._idle.put(child)
        if told.reading is None:
            raise BatosError(told.code, told.message, told.hint)
        return told.reading

    def _free(self) -> subprocess.Popen[bytes]:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            child = self._start()
            self._all.add(child)
            if self._is_over:  # a thread was not so far yet when the block was left, and nobody would end its child
                child.kill()
            return child

    def _died(self, child: subprocess.Popen[bytes], *, is_late: bool) -> BatosError:
        self._all.discard(child)
        _end(child)
        if is_late or child.returncode == -signal.SIGXCPU:
            return too_large("it takes too long to read", "Split it, or save it anew.")
        return no_text("its reader died of it: it is damaged, or was made to do that", "Save it anew, if you trust it.")

    @staticmethod
    def _start() -> subprocess.Popen[bytes]:
        root = Path(protocol.__file__ or "").resolve().parents[1]
        path = dict.fromkeys([str(root), *(str(Path(entry).resolve()) for entry in sys.path if entry)])
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-s", "-B", "-c", _START, "\n".join(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            start_new_session=True,
        )


def _asked(child: subprocess.Popen[bytes], asked: Asked) -> Told | None:
    """The child's answer; None where it has died."""
    assert child.stdin is not None
    assert child.stdout is not None
    frame = msgspec.msgpack.encode(asked)
    try:
        child.stdin.write(LENGTH.pack(len(frame)))
        child.stdin.write(frame)
        child.stdin.flush()
        head = child.stdout.read(LENGTH.size)
        if len(head) < LENGTH.size or (length := LENGTH.unpack(head)[0]) > MAX_ANSWER:
            return None
        answer = child.stdout.read(length)
    except (BrokenPipeError, ValueError):
        return None
    try:
        return msgspec.msgpack.decode(answer, type=Told)
    except msgspec.DecodeError:
        return None


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                continue
