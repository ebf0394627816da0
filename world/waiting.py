"""A line to the storage server that is there again as soon as the server is.

ZEO's client tries a server that is away once in one to two seconds, which is right for one at the other end of a network.
The home's own is a process beside this one: killed, it listens again in less than that. So the wait is for its socket.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from ZEO.asyncio.client import ClientThread

AGAIN_S: Final = 0.05
"""Between two attempts; each is one system call that fails at once."""


class WaitingThread(ClientThread):
    """ZEO's own networking thread, on an event loop whose connections to a unix socket wait for who is to listen there."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.loop = _Loop()  # where it is given one, ZEO makes none
        super().__init__(*arguments, **options)


class _Loop(asyncio.SelectorEventLoop):
    async def create_unix_connection(self, *arguments: Any, **options: Any) -> Any:
        """As asyncio's, but a socket that is not there yet, or that its owner's death has left, is waited for."""
        while True:
            try:
                return await super().create_unix_connection(*arguments, **options)
            except (FileNotFoundError, ConnectionRefusedError):
                await asyncio.sleep(AGAIN_S)
