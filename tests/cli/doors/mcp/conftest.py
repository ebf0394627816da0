"""A client of the official SDK at the door, over streams in memory: the whole server, and no process."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import anyio
import pytest
from mcp.client.client import Client
from mcp.shared.memory import create_client_server_memory_streams
from mcp_types import Implementation

from cli.doors.mcp.running import served
from cli.doors.mcp.server import Door


@pytest.fixture
def connected(bus, home):
    """Opens a door and connects a client to it: `async with connected(may_install=True) as client`."""

    @asynccontextmanager
    async def transport(door, stop):
        async with create_client_server_memory_streams() as (near, far), anyio.create_task_group() as group:
            group.start_soon(served, door, *far, stop)
            yield near
            stop.set()

    @asynccontextmanager
    async def connect(*, mode="legacy", called="test client", **options):
        door = Door(home, **options)
        async with Client(
            transport(door, asyncio.Event()), mode=mode, client_info=Implementation(name=called, version="1")
        ) as client:
            client.door = door
            yield client

    return connect
