"""Who speaks behind a model's name: the mind (`batos`), a persona by its expert, or the base model alone."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, Final

from batos.line import Line, Sent
from cli import values
from cli.calls import asking, sending
from cli.doors.http import requests
from cli.doors.http.admission import Guest
from cli.doors.http.chat import Said, Work
from cli.doors.http.errors import Refusal, unknown_model
from cli.doors.http.requests import Chat
from cli.doors.waiting import next_of
from cli.render import thought as render_thought
from protocol import verbs
from protocol.errors import BatosError
from protocol.messages import BaseModel, Event, Infer, List, Look, Piece, Row, Sampling

MIND: Final = "batos"
PERSONA: Final = "persona"
KNOWN_S: Final = 5.0
"""Seconds for which the names of models are taken to be as they were."""
INFER_S: Final = 600.0
"""Seconds that one completion may take."""
_STATES: Final = frozenset({"state", "accepted"})


class Known:
    """The names of the personas and of the base model, as they were a moment ago: the first word waits for no question about them."""

    def __init__(self) -> None:
        self._at = -math.inf
        self._found: tuple[list[str], str] = ([], "")

    async def names(self, line: Line, wanted: str = "") -> tuple[list[str], str]:
        """Personas and base model; asked anew where that was long ago, or where `wanted` is not among them."""
        personas, base = self._found
        if time.monotonic() - self._at > KNOWN_S or (wanted and wanted not in {*personas, base}):
            personas, base = self._found = await asyncio.gather(_personas(line), _base(line))
            self._at = time.monotonic()
        return personas, base


async def models(line: Line, known: Known) -> list[dict[str, Any]]:
    """Every model's name, and whose it is: the mind, the personas, the base model."""
    personas, base = await known.names(line)
    owned = [(MIND, "mind"), *((name, PERSONA) for name in personas), (base, "base")]
    return [{"id": name, "object": "model", "created": 0, "owned_by": kind} for name, kind in owned]


async def voice(guest: Guest, known: Known, chat: Chat, key: str | None) -> Work:
    """What answers a request; Refusal where there is no model of that name, or it does not take what is asked."""
    line = guest.line
    if chat.model == MIND:
        return _mind(line, chat, key)
    personas, base = await known.names(line, chat.model)
    if chat.model not in {*personas, base}:
        raise unknown_model(chat.model, f"there are {', '.join([MIND, *personas, base])}")
    expert = await _expert(line, chat.model) if chat.model in personas else None
    return _inference(guest, chat, expert)


def _mind(line: Line, chat: Chat, key: str | None) -> Work:
    if requests.schema(chat) is not None:
        raise Refusal(
            400,
            "unsupported_parameter",
            "the mind answers in sentences; ask a persona or the base model",
            "response_format",
        )
    manner = asking.Manner(way=chat.way, thread=chat.thread, answers=chat.answers)
    known = sending.check_key(key)
    wanted = asking.question_of(requests.question(chat), manner)

    async def work(tell: Callable[[str], None]) -> Said:
        def note(event: Event) -> None:
            if event.event in _STATES:
                tell(f": {event.state or event.event}")

        began = time.monotonic()
        mandate = wanted
        if chat.thread is not None:
            mandate = await asking.within_thread(line.ask, mandate, chat.thread, known)
        sent = Sent(line, mandate, known, note)
        try:
            reply = await sent.ended()
        except asyncio.CancelledError:
            # A client that has gone has no use for the answer, and the next one waits for the device.
            await asyncio.shield(sent.cancel())
            raise
        found = asking.answer_of(reply, chat.thread, time.monotonic() - began, line.home)
        waits = next_of(line.home, found.proposal) if found.proposal is not None else ""
        text = render_thought.answer(found) if found.answer is not None else waits
        return Said(text, "stop", None, values.to_json(found))

    return work


def _inference(guest: Guest, chat: Chat, expert: str | None) -> Work:
    given = {"temperature": chat.temperature, "top_p": chat.top_p}
    row = Row(
        turns=requests.turns(chat),
        expert=expert,
        sampling=Sampling(**{name: value for name, value in given.items() if value is not None}),
        seed=chat.seed if chat.seed is not None else time.time_ns() & 0x7FFF_FFFF,
        schema=requests.schema(chat),
        max_tokens=chat.max_completion_tokens or chat.max_tokens or requests.MAX_TOKENS,
    )

    async def work(tell: Callable[[str], None]) -> Said:
        pieces = 0

        def grow(piece: Piece) -> None:
            nonlocal pieces
            pieces += 1
            tell(piece.text)

        try:
            found = await guest.line.ask(verbs.INFER, Infer(rows=[row], stream=True), seconds=INFER_S, on_partial=grow)
            (made,) = found.rows
            pieces = made.tokens
        finally:
            # Of a text that nobody waited for to the end, what has come of it is charged.
            await guest.charge(pieces)
        if made.finish in {"failed", "stuck"}:
            raise BatosError(made.code or "GENERATION_FAILED", made.reason or "no further token is allowed", made.hint)
        return Said(made.text, made.finish, (found.prompt_tokens, made.tokens))

    return work


async def _base(line: Line) -> str:
    """What the base model is called: the last part of where it came from that names it."""
    found = await line.ask(verbs.MODEL, BaseModel())
    words = [word for word in found.source.split() if word.lower() not in {"bfloat16", "float32", "float16"}]
    return PurePath(words[-1]).name.removesuffix(".gguf") if words else "base"


async def _personas(line: Line) -> list[str]:
    after, found = None, []
    while True:
        page = await line.ask(verbs.LIST, List(kind="names", after=after, limit=1000))
        found += [str(item["name"]) for item in page.items if item["kind"] == PERSONA]
        if page.next is None:
            return found
        after = page.next


async def _expert(line: Line, persona: str) -> str | None:
    """The expert that speaks for a persona now; None where the base model does."""
    looked = await line.ask(verbs.LOOK, Look(target=persona, limit=1000))
    expert = looked.slots.get("expert")
    return expert if isinstance(expert, str) and expert else None
