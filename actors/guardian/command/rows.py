"""The sources that a file brings, one a row, read beside the judging.

Reading may wait, for a pipe or a person, so it has a thread of its own. No more than `MAX_READY` rows are held: however
long the input is, it never stands in memory.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Semaphore, Thread
from typing import IO, Any, Final

import msgspec

from protocol import codec, examples
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import Example

MAX_ROW: Final = 32 << 20
"""Bytes of one row: its source may be far out of bounds and still gets its verdict."""
MAX_READY: Final = 256


class SourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One source. `slots` and `examples` matter to a trial only, as do `args` and `kwargs` of its plain run."""

    id: str | int
    code: str
    slots: dict[str, Value] = {}
    examples: list[Example] = []
    args: list[Value] = []
    kwargs: dict[str, Value] = {}


class RowReader:
    """Rows as they come in. `problem` is why there were no more, if that was no plain end."""

    def __init__(self, rows: Iterator[SourceRow], loop: asyncio.AbstractEventLoop) -> None:
        self.problem: BatosError | None = None
        self._rows = rows
        self._loop = loop
        self._ready: deque[SourceRow] = deque()
        self._room = Semaphore(MAX_READY)
        self._news = asyncio.Event()
        self._ended = False
        # Nobody waits for this thread: it may be asleep in a read that never ends.
        Thread(target=self._read, daemon=True).start()

    async def batch(self, most: int) -> list[SourceRow]:
        """What lies ready, at least one row; none when there are no more."""
        while not self._ready and not self._ended:
            self._news.clear()
            await self._news.wait()
        taken = [self._ready.popleft() for _ in range(min(most, len(self._ready)))]
        self._room.release(max(1, len(taken)))
        return taken

    def _read(self) -> None:
        # The loop is gone where the judging has failed.
        with suppress(RuntimeError):
            try:
                for row in self._rows:
                    self._room.acquire()
                    self._loop.call_soon_threadsafe(self._take, row)
            except BatosError as error:
                self.problem = error
            self._loop.call_soon_threadsafe(self._end)

    def _take(self, row: SourceRow) -> None:
        self._ready.append(row)
        self._news.set()

    def _end(self) -> None:
        self._ended = True
        self._news.set()


def one(path: str, file: IO[bytes]) -> Iterator[SourceRow]:
    yield SourceRow(id=path, code=_text(file.read(MAX_ROW), path))


def many(file: IO[bytes]) -> Iterator[SourceRow]:
    number = 0
    while line := file.readline(MAX_ROW):
        number += 1
        if line.strip():
            yield _row(_text(line, f"line {number}"), number)


def _row(text: str, number: int) -> SourceRow:
    where = f"line {number}"
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BatosError("BAD_JSON", f"{where} is no JSON: {error}", 'A row looks like {"id":…, "code":…}.') from error
    if (
        not isinstance(data, dict)
        or not isinstance(data.get("code"), str)
        or not isinstance(data.get("id"), (str, int))
    ):
        raise BatosError("BAD_JSON", f"{where} has no id and code", 'A row looks like {"id":…, "code":…}.')
    wanted = data.get("examples", [])
    if not isinstance(wanted, list):
        raise BatosError("BAD_EXAMPLE", f"{where}: examples is no list")
    named = [(f"{where}, example {n}", example) for n, example in enumerate(wanted, 1)]
    checked = [examples.read_example(codec.normalize(example, name), name) for name, example in named]
    examples.check_examples(checked)
    values = {name: codec.normalize(data.get(name, empty), f"{where}, {name}") for name, empty in _EMPTY.items()}
    for name, empty in _EMPTY.items():
        if type(values[name]) is not type(empty):
            raise BatosError("BAD_JSON", f"{where}: {name} is no {type(empty).__name__}")
    return SourceRow(id=data["id"], code=data["code"], examples=checked, **values)


_EMPTY: Final[dict[str, Any]] = {"slots": {}, "args": [], "kwargs": {}}


def _text(data: bytes, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BatosError("UNREADABLE", f"{where} is not UTF-8: {error.reason} at byte {error.start}") from error


@contextmanager
def opened(path: str) -> Iterator[IO[bytes]]:
    if path == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed by the with below
    except OSError as error:
        raise BatosError(
            "UNREADABLE", f"cannot read {path}: {error.strerror}", "Give a readable file, or -."
        ) from error
    with file:
        yield file
