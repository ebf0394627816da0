"""What becomes of a socket's connections, as libzmq says it at once (zmq_socket_monitor(3)): one stands, or one was lost.

The loss of a connection is the death of the process at its other end, long before its silence would show it.
"""

from __future__ import annotations

import sys
from typing import Final

import zmq

MADE: Final = int(zmq.EVENT_HANDSHAKE_SUCCEEDED)
LOST: Final = int(zmq.EVENT_DISCONNECTED)


class Monitor:
    """The monitor of `watched`, for whoever has that socket and polls `socket` beside it."""

    def __init__(self, watched: zmq.Socket[bytes]) -> None:
        self._watched = watched
        self.socket: zmq.Socket[bytes] = watched.get_monitor_socket(MADE | LOST)

    def read(self) -> list[int]:
        """What has happened since the last time, in order: MADE and LOST."""
        found: list[int] = []
        while True:
            try:
                event, _endpoint = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return found
            found.append(int.from_bytes(event[:2], sys.byteorder))

    def close(self) -> None:
        """To be called before `watched` is closed: libzmq waits for whoever does not read."""
        if not self.socket.closed:
            self._watched.disable_monitor()
            self.socket.close(0)
