"""The door for agents as a process: it opens on standard input and output, and closes with them or by a signal."""

from __future__ import annotations

import asyncio
import importlib.metadata
import sys
from typing import Any, cast

import anyio
from anyio.abc import TaskGroup
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage

from bus.process import logs
from bus.service import stop_on_signals
from cli.doors.mcp.server import Door
from cli.doors.mcp.stdio import Lines, Out, relay
from protocol.home import Home

_GONE = (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError)


async def serve(home: Home, *, name: str | None, may_install: bool) -> None:
    """Serve the client at the other end, until it ends its side or a signal comes. Logs go to standard error."""
    logs.configure("mcp")
    door = Door(home, name=name, may_install=may_install)
    stop = stop_on_signals()
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_closes, group, stop)
            stdin, stdout = cast("Any", Lines(sys.stdin.fileno())), cast("Any", Out())
            async with stdio_server(stdin=stdin, stdout=stdout) as (read, write):
                await served(door, read, write, stop)
            group.cancel_scope.cancel()
    except BaseExceptionGroup as errors:
        # A client that reads no more has ended its side too. (Some releases of Python 3.11 make a group by `except*`.)
        if errors.split(_GONE)[1] is not None:
            raise
    finally:
        await door.close()


async def served(door: Door, read: Any, write: Any, stop: asyncio.Event) -> None:
    """Serve a client that speaks by these two streams; what is under way when it ends goes on in the system."""
    server = door.server(importlib.metadata.version("batos"))
    handed, taken = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    async with anyio.create_task_group() as group:
        group.start_soon(_closes, group, stop)
        group.start_soon(relay, read, handed, write, door.cancelled)
        await server.run(taken, write, server.create_initialization_options())
        group.cancel_scope.cancel()


async def _closes(group: TaskGroup, stop: asyncio.Event) -> None:
    """End what the group does once `stop` is set, also where it waits for a client that reads nothing."""
    await stop.wait()
    group.cancel_scope.cancel()
