"""The routes of `/v1`, who is let in, and what every failure becomes."""

from __future__ import annotations

import base64
import struct
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from batos.line import Line
from cli.doors.http import chat, requests, voices
from cli.doors.http.admission import Guest, admitted, token_of
from cli.doors.http.errors import Refusal, response, shape, unknown_model
from cli.doors.http.flow import Gone, whole
from cli.doors.http.guard import Guard
from cli.doors.http.voices import Known
from protocol import verbs
from protocol.checks.tokens import digest_of
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Embed, Embedded

AT_ONCE: Final = 256
"""Requests under way; one more is told to wait."""
MOST_LINES: Final = 64
"""Tokens whose lines are kept open; the one that was used longest ago is closed for another."""
EMBED_S: Final = 120.0
MODELS_S: Final = 30.0

_log = structlog.get_logger("http")

Endpoint = Callable[[Request, Guest], Awaitable[Response]]


class Door:
    """What stands behind the port: a line to the system for each token that is shown."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._own = Line(home, None)
        self._lines: dict[str, Line] = {}
        self._known = Known()
        self._under_way = 0

    def app(self, host: str, port: int) -> ASGIApp:
        routes = [
            Route("/v1/models", self._endpoint(partial(_models, self._known))),
            Route("/v1/models/{model:path}", self._endpoint(partial(_model, self._known))),
            Route(
                "/v1/chat/completions",
                self._endpoint(partial(_completions, self._known), generates=True),
                methods=["POST"],
            ),
            Route("/v1/embeddings", self._endpoint(_embeddings), methods=["POST"]),
        ]
        handlers: dict[Any, Any] = {HTTPException: _no_route, Refusal: _failed, BatosError: _failed, Exception: _bug}
        return Guard(Starlette(routes=routes, exception_handlers=handlers), host, port)

    async def close(self) -> None:
        for line in (self._own, *self._lines.values()):
            await line.close()

    async def guest(self, request: Request, *, generates: bool) -> Guest:
        """Whoever shows this token, with the rights that it has now."""
        token = token_of(request)
        origin = await admitted(self._own, token, generates=generates)
        line = self._lines.pop(token, None)
        if line is None or line.origin != origin:
            line = Line(self._home, origin)
        self._lines[token] = line
        while len(self._lines) > MOST_LINES:
            await self._lines.pop(next(iter(self._lines))).close()
        return Guest(line, self._own, digest_of(token))

    def _endpoint(self, endpoint: Endpoint, *, generates: bool = False) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            self._under_way += 1
            try:
                if self._under_way > AT_ONCE:
                    raise BatosError("BUSY", f"{AT_ONCE} requests are under way", "Try again in a moment.")
                return await endpoint(request, await self.guest(request, generates=generates))
            except Gone:
                return Response(status_code=499)
            finally:
                self._under_way -= 1

        return answered


async def _models(known: Known, _request: Request, guest: Guest) -> Response:
    return JSONResponse({"object": "list", "data": await voices.models(guest.line, known)})


async def _model(known: Known, request: Request, guest: Guest) -> Response:
    wanted, every = request.path_params["model"], await voices.models(guest.line, known)
    found = next((model for model in every if model["id"] == wanted), None)
    if found is None:
        raise unknown_model(wanted, f"there are {', '.join(model['id'] for model in every)}")
    return JSONResponse(found)


async def _completions(known: Known, request: Request, guest: Guest) -> Response:
    asked = requests.read_chat(await request.body())
    work = await voices.voice(guest, known, asked, request.headers.get("idempotency-key"))
    return await chat.answer(request, asked, work)


async def _embeddings(request: Request, guest: Guest) -> Response:
    asked = requests.read_embedding(await request.body())
    texts = [asked.input] if isinstance(asked.input, str) else asked.input

    async def work(_tell: Callable[[Any], None]) -> Embedded:
        return await guest.line.ask(verbs.EMBED, Embed(texts=texts), seconds=EMBED_S)

    found = await whole(request, work)
    if asked.model not in {voices.MIND, found.model}:
        raise unknown_model(asked.model, f"vectors are made by {found.model}, which {voices.MIND} means too")
    if asked.dimensions not in {None, found.dimensions}:
        raise Refusal(400, "invalid_value", f"vectors have {found.dimensions} dimensions", "dimensions")
    rows = [_vector(row, asked.encoding_format) for row in found.vectors]
    data = [{"object": "embedding", "index": n, "embedding": row} for n, row in enumerate(rows)]
    usage = {"prompt_tokens": found.tokens, "total_tokens": found.tokens}
    return JSONResponse({"object": "list", "data": data, "model": found.model, "usage": usage})


def _vector(row: bytes, form: str) -> str | list[float]:
    return base64.b64encode(row).decode() if form == "base64" else list(struct.unpack(f"<{len(row) // 4}f", row))


async def _failed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, (Refusal, BatosError))
    return response(error)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = "is not answered to" if error.status_code == 405 else "does not exist"
    message = (
        f"{request.method} {request.url.path[:200]} {what}; there are /v1/models, /v1/chat/completions, /v1/embeddings"
    )
    return JSONResponse(shape(error.status_code, "unknown_url", message), error.status_code)


async def _bug(request: Request, error: Exception) -> Response:
    _log.error("a request failed", path=request.url.path, exc_info=error)
    return response(BatosError("INTERNAL", f"{type(error).__name__}: {error}", "This is a bug."))
