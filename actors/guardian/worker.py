"""One template process as the guardian holds it: started, spoken to, killed, and started again.

A template that says nothing in time, says nonsense, or dies is killed and replaced; the work it had fails with a
reason. Nothing that happens in there can hang or end the guardian.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

import protocol
from actors.guardian.template import ENDED, MAX_ANSWER, NO_CHILD, REPLY, REQUEST, TOO_MUCH, TOO_SLOW
from protocol.errors import BatosError

START_SECONDS: Final = 20.0
END_SECONDS: Final = 2.0
GRACE_SECONDS: Final = 2.0
"""Beyond the wall-clock limit, which the template keeps itself, until the template is held to be stuck."""

_START: Final = (
    "import sys; sys.path[:] = sys.argv[1].split(chr(10)); from actors.guardian.template import main; main()"
)
_SIGNALS: Final[Mapping[int, str]] = {
    signal.SIGPROF: "LIMIT_TIME",
    signal.SIGXCPU: "LIMIT_TIME",
    signal.SIGSYS: "FORBIDDEN_SYSCALL",
    signal.SIGXFSZ: "FORBIDDEN_SYSCALL",
    signal.SIGKILL: "LIMIT_MEMORY",
    signal.SIGSEGV: "LIMIT_STACK",
}


class Reply(msgspec.Struct, frozen=True):
    """A child's answer, or in `end` the name of what ended it first."""

    answer: bytes
    end: str = ""


class _Hello(msgspec.Struct, frozen=True):
    missing: dict[str, str]


class Worker:
    """`missing` are the layers that this template could not put on, with reasons."""

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        """Start the template and hear which layers hold. NOT_READY where it does not come up, which may pass."""
        ours, theirs = socket.socketpair()
        try:
            # From this thread on purpose: a template is killed when the thread that started it ends.
            self._process = subprocess.Popen(  # noqa: S603, ASYNC220
                [sys.executable, "-S", "-P", "-s", "-B", "-c", _START, "\n".join(_import_path())],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                env={"PYTHONHASHSEED": "0"},
                cwd="/",
                start_new_session=True,
            )
            self._reader, self._writer = await asyncio.open_unix_connection(sock=ours, limit=1 << 20)
        except OSError as error:
            ours.close()
            raise BatosError("NOT_READY", f"the jail's template could not be started: {error}") from error
        finally:
            theirs.close()
        try:
            async with asyncio.timeout(START_SECONDS):
                reply = await self._receive()
            self.missing = {k: v for k, v in msgspec.json.decode(reply.answer, type=_Hello).missing.items() if v}
        except (OSError, EOFError, TimeoutError, msgspec.MsgspecError) as error:
            await self.stop()
            raise BatosError(
                "NOT_READY", f"the jail's template does not come up: {type(error).__name__} {error}"
            ) from error

    async def do(self, work: bytes, *, cpu: float, wall: float) -> Reply:
        """Have one child do `work`. It always returns; a template that fails at it is replaced by the next call."""
        try:
            if self._process is None or self._process.poll() is not None:
                await self.stop()
                await self.start()
            assert self._writer is not None
            async with asyncio.timeout(wall + GRACE_SECONDS):
                self._writer.write(REQUEST.pack(len(work), cpu, wall) + work)
                await self._writer.drain()
                return await self._receive()
        except (OSError, EOFError, TimeoutError) as error:
            await self.stop()
            return Reply(b"", "LIMIT_TIME" if isinstance(error, TimeoutError) else "JAIL_DIED")
        except asyncio.CancelledError:
            # Its answer would be taken for the next one's.
            await self.stop()
            raise

    async def stop(self) -> None:
        """Kill the template, and with it every child."""
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                # The whole group: the process that waits, the template, its children.
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._process = self._reader = self._writer = None

    async def _receive(self) -> Reply:
        assert self._reader is not None
        ended, status, length = REPLY.unpack(await self._reader.readexactly(REPLY.size))
        if length > MAX_ANSWER + (1 << 16):
            raise EOFError("the template's answer is larger than any")
        answer = await self._reader.readexactly(length)
        if ended == ENDED:
            return Reply(answer, "" if status == 0 else _SIGNALS.get(-status, f"ENDED_{status}"))
        return Reply(
            answer, {TOO_SLOW: "LIMIT_TIME", TOO_MUCH: "LIMIT_OUTPUT", NO_CHILD: "NO_PROCESS"}.get(ended, "JAIL_DIED")
        )


def _import_path() -> list[str]:
    """Where the template finds us and our libraries: our own path, and the folder that this package lies in."""
    root = Path(protocol.__file__ or "").resolve().parents[1]
    return list(dict.fromkeys([str(root), *(str(Path(entry).resolve()) for entry in sys.path if entry)]))
