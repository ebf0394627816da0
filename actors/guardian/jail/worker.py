"""One template process as the guardian holds it: started, spoken to, killed, and started again.

A template that says nothing in time, says nonsense, or dies is killed and replaced; the works it had fail with a
reason, and the runs that waited in it are gone. Nothing that happens in there can hang or end the guardian.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from typing import Final

import msgspec

from actors.guardian.jail.forked import ANSWERED, ENDED, GONE, MAX_ANSWER, NO_CHILD, TOO_MUCH, TOO_SLOW, WAITS
from actors.guardian.jail.launching import Launched, launch
from actors.guardian.jail.template import DROP, HELLO, MAY_WAIT, REPLY, REQUEST, RESUME, WORK
from protocol.errors import BatosError

START_SECONDS: Final = 20.0
END_SECONDS: Final = 2.0
GRACE_SECONDS: Final = 2.0
"""Beyond the wall-clock limit, which the template keeps itself, until the template is held to be stuck."""

_SIGNALS: Final[Mapping[int, str]] = {
    signal.SIGPROF: "LIMIT_TIME",
    signal.SIGXCPU: "LIMIT_TIME",
    signal.SIGSYS: "FORBIDDEN_SYSCALL",
    signal.SIGXFSZ: "FORBIDDEN_SYSCALL",
    signal.SIGKILL: "LIMIT_MEMORY",
    signal.SIGSEGV: "LIMIT_STACK",
}


_ENDS: Final[Mapping[int, str]] = {
    TOO_SLOW: "LIMIT_TIME",
    TOO_MUCH: "LIMIT_OUTPUT",
    NO_CHILD: "NO_PROCESS",
    GONE: "GONE",
}


class Reply(msgspec.Struct, frozen=True):
    """A child's answer, or in `end` the name of what ended it first. Under the number `waits`, not 0, it can go on."""

    answer: bytes
    end: str = ""
    waits: int = 0


class _Hello(msgspec.Struct, frozen=True):
    missing: dict[str, str]


class Worker:
    """`missing` are the layers that this template could not put on, with reasons.

    `busy` orders templates: by how many works each has now, and then by when it was last given one, since the one that
    has waited longest has its next child warm.
    """

    def __init__(self, launched: Launched | None = None) -> None:
        self.missing: dict[str, str] = {}
        self.busy = (0, 0.0)
        self._launched = launched
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._closed = False
        self._asked: dict[int, asyncio.Future[Reply]] = {}
        # Never the same again, also after a template has been replaced.
        self._numbers = itertools.count(HELLO + 1)

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        """Start the template, unless it was launched before, and hear which layers hold.

        NOT_READY where it does not come up, which may pass.
        """
        self._closed = False
        await self._start()

    async def close(self) -> None:
        """Kill the template, and with it every child. Who comes late is answered as if it had died."""
        self._closed = True
        await self.stop()

    async def _start(self) -> None:
        launched = self._launched or launch()
        self._launched, self._process = None, launched.process
        reader, self._writer = await asyncio.open_unix_connection(sock=launched.end, limit=1 << 20)
        hello = self._expect(HELLO)
        self._listening = asyncio.create_task(self._listen(reader))
        try:
            async with asyncio.timeout(START_SECONDS):
                self.missing = _missing(await hello)
        except (TimeoutError, EOFError, msgspec.MsgspecError) as error:
            await self.stop()
            raise BatosError(
                "NOT_READY", f"the jail's template does not come up: {type(error).__name__} {error}"
            ) from error
        finally:
            self._asked.pop(HELLO, None)
        if self._closed:
            await self.stop()

    async def do(self, work: bytes, *, cpu: float, wall: float, may_wait: bool = False) -> Reply:
        """Have one child do `work`. It always returns; a template that fails at it is replaced by the next call."""
        if not self._hears():
            async with self._starting:
                if not self._hears() and not self._closed:
                    await self.stop()
                    await self._start()
        return await self._exchange(MAY_WAIT if may_wait else WORK, next(self._numbers), work, cpu, wall)

    async def resume(self, number: int, answer: bytes, *, wall: float) -> Reply:
        """Have the child go on that waits under `number`; its end is GONE where there is none."""
        return await self._exchange(RESUME, number, answer, 0.0, wall)

    def drop(self, number: int) -> None:
        """Kill the child with this number, wherever it has come to. Nobody is told."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(REQUEST.pack(DROP, number, 0.0, 0.0, 0))

    async def stop(self) -> None:
        """Kill the template, and with it every child."""
        process, writer, listening = self._process, self._writer, self._listening
        # At once, so that nobody who comes meanwhile takes it for one that lives, or ends the next one.
        self._process = self._writer = self._listening = None
        if listening is not None:
            listening.cancel()
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        if process is not None:
            process.terminate()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                # The whole group: the process that waits, the template, its children.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    async def _exchange(self, verb: int, number: int, data: bytes, cpu: float, wall: float) -> Reply:
        if self._writer is None or not self._hears():
            return Reply(b"", "JAIL_DIED")
        reply = self._expect(number)
        self.busy = self.busy[0] + 1, time.monotonic()
        try:
            async with asyncio.timeout(wall + GRACE_SECONDS):
                self._writer.write(REQUEST.pack(verb, number, cpu, wall, len(data)) + data)
                await self._writer.drain()
                return await reply
        except OSError as error:
            await self.stop()
            return Reply(b"", "LIMIT_TIME" if isinstance(error, TimeoutError) else "JAIL_DIED")
        except asyncio.CancelledError:
            self.drop(number)
            raise
        finally:
            self.busy = self.busy[0] - 1, self.busy[1]
            self._asked.pop(number, None)

    def _hears(self) -> bool:
        return self._listening is not None and not self._listening.done()

    def _expect(self, number: int) -> asyncio.Future[Reply]:
        reply = self._asked[number] = asyncio.get_running_loop().create_future()
        return reply

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Hand out what the template says, until it says nothing more or nothing of sense."""
        try:
            while True:
                number, reply = await _receive(reader)
                asked = self._asked.get(number)
                if asked is not None and not asked.done():
                    asked.set_result(reply)
        except (OSError, EOFError):
            pass
        finally:
            for asked in self._asked.values():
                if not asked.done():
                    asked.set_result(Reply(b"", "JAIL_DIED"))


def _missing(hello: Reply) -> dict[str, str]:
    if hello.end:
        raise EOFError(hello.end)
    return {layer: why for layer, why in msgspec.json.decode(hello.answer, type=_Hello).missing.items() if why}


async def _receive(reader: asyncio.StreamReader) -> tuple[int, Reply]:
    number, ended, status, length = REPLY.unpack(await reader.readexactly(REPLY.size))
    if length > MAX_ANSWER + (1 << 16):
        raise EOFError("the template's answer is larger than any")
    answer = await reader.readexactly(length)
    if ended == ENDED:
        return number, Reply(answer, "" if status == 0 else _SIGNALS.get(-status, f"ENDED_{status}"))
    if ended in {ANSWERED, WAITS}:
        return number, Reply(answer, waits=number if ended == WAITS else 0)
    return number, Reply(answer, _ENDS.get(ended, "JAIL_DIED"))
