"""`/v1/chat/completions`: a persona's or the base model's words, or the mind's answer, as a completion, whole or as it comes."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Final

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from cli.doors.http.errors import Refusal, shape_of
from cli.doors.http.flow import Ended, Gone, flow, whole
from cli.doors.http.requests import Chat
from protocol.errors import BatosError

KEEP_S: Final = 15.0
"""Seconds of silence after which a stream says that it lives."""

_log = structlog.get_logger("http")


class Said:
    """An answer as it has come to be: its text, why it ended, tokens where they are known, and what is our own (`extra`)."""

    def __init__(
        self, text: str, finish: str, usage: tuple[int, int] | None = None, extra: dict[str, Any] | None = None
    ) -> None:
        self.text = text
        self.finish = finish
        self.extra = {"batos": extra} if extra is not None else {}
        self.usage = None
        if usage is not None:
            read, made = usage
            self.usage = {"prompt_tokens": read, "completion_tokens": made, "total_tokens": read + made}


Work = Callable[[Callable[[str], None]], Any]
"""Comes to a `Said`; tells pieces of its text, and notes that begin with a colon, on the way."""


async def answer(request: Request, chat: Chat, work: Work) -> Response:
    """The response. A failure before the first word has a status of its own, also where the rest is streamed."""
    made = _Completion(chat)
    if not chat.stream:
        said = await whole(request, work)
        return JSONResponse(made.whole(said))
    events = made.stream(flow(request, work, rest=KEEP_S))
    first = await anext(events, None)
    if first is None:
        raise Gone
    return StreamingResponse(
        _joined(first, events), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _joined(first: str, events: AsyncIterator[str]) -> AsyncIterator[str]:
    async with aclosing(events) as rest:  # type: ignore[type-var]  # it is a generator
        yield first
        async for event in rest:
            yield event


class _Completion:
    """One completion, under one id."""

    def __init__(self, chat: Chat) -> None:
        self._head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": chat.model}
        self._wants_usage = chat.stream_options is not None and chat.stream_options.include_usage

    def whole(self, said: Said) -> dict[str, Any]:
        message = {"role": "assistant", "content": said.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": said.finish}
        usage = {"usage": said.usage} if said.usage is not None else {}
        return {**self._head, "object": "chat.completion", "choices": [choice], **usage, **said.extra}

    async def stream(self, told: AsyncIterator[Any]) -> AsyncIterator[str]:
        """Server-sent events. The first one comes with the first word, so that what fails before it can be told by a status."""
        is_begun, text = False, ""
        try:
            async with aclosing(told) as items:  # type: ignore[type-var]  # it is a generator
                async for item in items:
                    if item is None or (isinstance(item, str) and item.startswith(":")):
                        yield f"{item or ':'}\n\n"
                        continue
                    if not is_begun:
                        yield self._chunk({"role": "assistant", "content": ""})
                        is_begun = True
                    if isinstance(item, Ended):
                        for event in self._end(item.result, text):
                            yield event
                    else:
                        text += item
                        yield self._chunk({"content": item})
        except Gone:
            return
        except (BatosError, Refusal) as error:
            if not is_begun:
                raise
            yield f"data: {json.dumps(shape_of(error))}\n\n"
            return
        yield "data: [DONE]\n\n"

    def _end(self, said: Said, text: str) -> list[str]:
        rest = said.text[len(text) :] if said.text.startswith(text) else ""
        events = [self._chunk({"content": rest})] if rest else []
        events.append(self._chunk({}, said.finish, said.extra))
        if self._wants_usage:
            data = {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": said.usage}
            events.append(f"data: {json.dumps(data)}\n\n")
        return events

    def _chunk(self, delta: dict[str, Any], finish: str | None = None, extra: dict[str, Any] | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        data = {**self._head, "object": "chat.completion.chunk", "choices": [choice], **(extra or {})}
        return f"data: {json.dumps(data)}\n\n"
