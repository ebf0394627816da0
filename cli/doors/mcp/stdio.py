"""Standard input and output as a client of MCP uses them: a line of JSON for each message.

The SDK's own transport speaks them; here stands what it leaves open. A line that is no message is answered with an error
instead of silence, one that is too long is thrown away without being held, and what the client has cancelled is noted before the
request hears of it, so that it can be told from a client that has gone.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import json
import os
import stat
import sys
import threading
from collections.abc import AsyncIterator
from typing import Final

import anyio
from anyio.streams.memory import MemoryObjectSendStream
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.message import SessionMessage
from mcp_types import PARSE_ERROR, ErrorData, JSONRPCError, JSONRPCNotification
from pydantic import ValidationError

MAX_LINE: Final = 32 << 20
"""Bytes of a message: those of the largest document, each letter of it escaped."""
_GONE: Final = (RuntimeError, concurrent.futures.CancelledError)
"""What a line meets where the loop is closed, and nobody takes it any more."""
_AT_ONCE: Final = 1 << 16
_CANCELLED: Final = "notifications/cancelled"
_DIGITS: Final = 20
"""Digits of an id that is a number."""
_KEPT: Final = 1000
"""The latest requests that were cancelled; what came before them has ended long ago."""


class Cancelled:
    """The ids of the requests that the client has cancelled."""

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}

    def note(self, message: JSONRPCNotification) -> None:
        if message.method == _CANCELLED and message.params is not None:
            self._ids[str(message.params.get("requestId"))] = None
            while len(self._ids) > _KEPT:
                del self._ids[next(iter(self._ids))]

    def __contains__(self, request_id: object) -> bool:
        return str(request_id) in self._ids


async def relay(
    source: ReadStream[SessionMessage | Exception],
    target: MemoryObjectSendStream[SessionMessage | Exception],
    answers: WriteStream[SessionMessage],
    cancelled: Cancelled,
) -> None:
    """Hand on what comes, until the client ends."""
    async with target:
        async for item in source:
            if isinstance(item, Exception):
                error = ErrorData(code=PARSE_ERROR, message=_unread(item))
                await answers.send(SessionMessage(JSONRPCError(jsonrpc="2.0", id=id_of(item), error=error)))
                continue
            if isinstance(item.message, JSONRPCNotification):
                cancelled.note(item.message)
            await target.send(item)


def _unread(error: Exception) -> str:
    found = error.errors(include_url=False)[0] if isinstance(error, ValidationError) else None
    why = f": {found['msg']}" if found is not None and found["type"] == "json_invalid" else ""
    return f"no JSON-RPC message of at most {MAX_LINE} bytes on one line{why}"


def id_of(error: Exception) -> int | str | None:
    """The id of a request that Python reads and the SDK does not (half a character in a text, a long number): somebody waits for it."""
    text = error.errors(include_url=False)[0]["input"] if isinstance(error, ValidationError) else None
    if not isinstance(text, str):
        return None
    try:
        message = json.loads(text, parse_int=_integer)
    except (RecursionError, ValueError):
        return None
    found = message.get("id") if isinstance(message, dict) else None
    if isinstance(found, str):
        # Half a character in the id itself cannot be written back.
        return found if found.isprintable() else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _integer(digits: str) -> int | None:
    """An integer that can be an id; a longer one, which Python would not read, is none."""
    return int(digits) if len(digits) <= _DIGITS else None


class Lines:
    """The lines of a file descriptor, as they come, of which none is longer than `MAX_LINE`; a longer one comes as nothing.

    They are read by a thread that ends with the process: no waiting for a line keeps the door from closing.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue(1)
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    async def __aiter__(self) -> AsyncIterator[str]:
        while (line := await self._lines.get()) is not None:
            yield line

    def _read(self) -> None:
        held, is_whole = bytearray(), True
        with contextlib.suppress(OSError, *_GONE):
            while data := os.read(self._descriptor, _AT_ONCE):
                *lines, rest = data.split(b"\n")
                for line in lines:
                    held += line
                    self._give(bytes(held) if is_whole and len(held) <= MAX_LINE else b"")
                    held, is_whole = bytearray(), True
                held += rest
                if len(held) > MAX_LINE:
                    held, is_whole = bytearray(), False
            if held:
                self._give(bytes(held))
        with contextlib.suppress(*_GONE):
            self._give(None)

    def _give(self, line: bytes | None) -> None:
        """Wait until the door has taken the line (None: the end): what it does not take stays in the pipe."""
        text = line.decode(errors="replace") if line is not None else None
        putting = self._lines.put(text)
        try:
            given = asyncio.run_coroutine_threadsafe(putting, self._loop)
        except RuntimeError:
            putting.close()
            raise
        given.result()


class Out:
    """Standard output for the protocol alone: what anything else prints goes to standard error from now on.

    A pipe is written without a thread, and one that nobody empties keeps neither the loop nor the end of the process waiting.
    """

    def __init__(self) -> None:
        self._descriptor = os.dup(sys.stdout.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        if stat.S_ISFIFO(os.fstat(self._descriptor).st_mode):
            os.set_blocking(self._descriptor, False)
        self._held: list[str] = []

    async def write(self, text: str) -> None:
        self._held.append(text)

    async def flush(self) -> None:
        """Write what is held; OSError where the reader has gone."""
        data, self._held = memoryview("".join(self._held).encode()), []
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                await anyio.wait_writable(self._descriptor)
