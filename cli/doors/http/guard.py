"""Who may speak to this port at all, looked at before anything else of a request is.

A browser on this machine reaches loopback too, on behalf of any page that it shows. So a request must name this very port as its
host, which no name that was made to point here does, and must come from no page but one of this port. What is larger than a
body may be is read no further.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cli.doors.http.errors import Refusal, response

MAX_BODY: Final = 8 << 20
"""Bytes: far more than a model's context holds."""
_DRAIN: Final = 512 << 20
_DRAIN_S: Final = 10.0
"""So much of a body that is too large is still taken, bytes and seconds."""
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Guard:
    """Stands before `app`, which listens on `host` and `port`."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        try:
            self._check(headers)
            length = headers.get(b"content-length", "0")
            if not length.isdecimal() or int(length) > MAX_BODY:
                await _drained(receive)
                raise _too_large()
        except Refusal as refusal:
            await response(refusal)(scope, receive, send)
            return
        await self._app(scope, _bounded(receive), send)

    def _check(self, headers: dict[bytes, str]) -> None:
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        if not self._is_ours(f"//{host}"):
            raise Refusal(403, "host_not_allowed", f"{host[:100]!r} is no name of this port")
        if origin is not None and not self._is_ours(origin):
            raise Refusal(403, "origin_not_allowed", f"a page of {origin[:100]!r} may not ask here")

    def _is_ours(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            name, port = (parts.hostname or "").lower(), parts.port or 80
        except ValueError:
            return False
        return port == self._port and self._is_name(name)

    def _is_name(self, name: str) -> bool:
        if name == self._host or (name in _LOOPBACK and is_loopback(self._host)):
            return True
        if is_loopback(self._host):
            return False
        # On a network the machine has names and addresses that are not for us to list; an address rebinds nothing.
        return name in _LOOPBACK or name == socket.gethostname().lower() or _is_address(name)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _bounded(receive: Receive) -> Receive:
    """`receive`, which ends with a refusal where more comes than a body may have: not every client says how much it sends."""
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MAX_BODY:
            await _drained(receive)
            raise _too_large()
        return message

    return bounded


async def _drained(receive: Receive) -> None:
    """Let the client send what it sends, and keep nothing: one that is cut off while it sends reads no answer."""
    read = 0
    with anyio.move_on_after(_DRAIN_S):
        while read < _DRAIN:
            message = await receive()
            read += len(message.get("body", b""))
            if not message.get("more_body", False):
                return


def _too_large() -> Refusal:
    return Refusal(
        413, "request_too_large", f"a body has at most {MAX_BODY} bytes; remember long texts, and ask about them"
    )
