"""The door for programs as a process: it listens on one port, and closes by a signal."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterator
from typing import Final

import uvicorn

from bus.process import logs
from bus.service import stop_on_signals
from cli.doors.http.app import Door
from protocol.errors import BatosError
from protocol.home import Home

END_S: Final = 5
"""Seconds that requests under way have when the door closes."""


def bound(host: str, port: int) -> socket.socket:
    """A socket on this address; PORT_TAKEN or USAGE says why there is none."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise BatosError("USAGE", f"{host} is no address: {error.strerror}", "Give another --host.") from error
    made = socket.socket(family, kind, number)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            raise BatosError(
                "PORT_TAKEN",
                f"port {port} of {host} is taken by another program",
                f"Take another one: --port {port + 1}",
            ) from error
        raise BatosError(
            "USAGE", f"nothing can listen on port {port} of {host}: {error.strerror}", "Give another --host or --port."
        ) from error
    return made


async def serve(home: Home, host: str, port: int, told: Callable[[str], None]) -> None:
    """Answer on this address until a signal comes; `told` hears where, once requests are answered."""
    listening = bound(host, port)
    logs.configure("http")
    await answering(Door(home), listening, host, stop_on_signals(), told)


async def answering(
    door: Door, listening: socket.socket, host: str, stop: asyncio.Event, told: Callable[[str], None]
) -> None:
    """Answer on a socket until `stop` is set. What is under way then is cancelled after a moment."""
    number = int(listening.getsockname()[1])
    config = uvicorn.Config(
        door.app(host, number),
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=END_S,
    )
    shown = f"[{host}]" if ":" in host else host
    server = _Server(config, lambda: told(f"http://{shown}:{number}/v1"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        stopping.cancel()
        await running
        await door.close()


class _Server(uvicorn.Server):
    """uvicorn's own, which says when it answers, and leaves signals to `stop_on_signals`."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_start()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
