"""Ask a ZEO server how it is, without ZEO: its `ruok` handshake, a sized message each way."""

from __future__ import annotations

import json
import socket
import struct
from pathlib import Path
from typing import Any, Final

from protocol.errors import BatosError

_MAX: Final = 1 << 16


def ruok(path: Path, *, seconds: float) -> dict[str, Any]:
    """The server's own status of its storage; NOT_READY where nobody answers in time."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(seconds)
            connection.connect(str(path))
            _receive(connection)  # which protocol it speaks
            connection.sendall(struct.pack(">I", 4) + b"ruok")
            status = json.loads(_receive(connection))
    except (OSError, ValueError) as error:
        raise BatosError("NOT_READY", f"the storage does not answer: {error}") from error
    found: dict[str, Any] = status["1"]
    return found


def _receive(connection: socket.socket) -> bytes:
    (size,) = struct.unpack(">I", _exactly(connection, 4))
    if size > _MAX:
        raise ValueError(f"an answer of {size} bytes")
    return _exactly(connection, size)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ValueError("the connection ended early")
        data += more
    return data
