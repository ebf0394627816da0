"""The generator for who has outgrown one machine: an OpenAI-compatible server makes the texts, and this house stays its judge.

What comes back is checked: that a text is of the model that was asked for, that it has an end, and that it keeps its form
(`remote_text`). All rows of a wave are asked for at once, as far as that does not make the server read a prompt more than once
(`requests`); it makes batches of them as it likes, so that the same rows need not give the same texts again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Final

import httpx2

from actors.inference.decoding.pace import Pace
from actors.inference.forms.constraints import Form
from actors.inference.remote.remote_bank import ServerBank
from actors.inference.remote.remote_text import Job, Prompt, Text, Texts, Words
from actors.inference.remote.requests import Request, Room, lanes
from actors.inference.remote.server import Server
from actors.inference.serving import Asked, Outcome, Wave, failed
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import MAX_ROWS, Abilities, Row

POLL_S: Final = 0.05
"""Seconds between two looks at whether to stop, where the server is silent."""

_LOCAL: Final = 'Serve it on this machine (`engine = "local"` under [inference] in batos.toml).'

RemoteAsked = Asked[Prompt, Form]
RemoteWave = Wave[Prompt, Form]


class RemoteGenerator:
    """Asks the server for the texts of a wave, as streams."""

    vocabulary_size = None

    def __init__(self, server: Server, served: str, bank: ServerBank, words: Words, *, abilities: Abilities) -> None:
        """`served` is the base model's name on the server; `words` makes its prompts; `abilities`: what it was seen to do."""
        self.bank = bank
        self.words = words
        self.abilities = abilities
        self.pace = Pace()
        self._server = server
        self._served = served

    def accepts(self, invocation: Sequence[int]) -> None:
        """BAD_EXPERT for an expert that begins within a prompt; BAD_CONFIG for any where none is served: it is not to blame."""
        if self.abilities.lora == "none":
            why = self.abilities.instead.get("lora", "personas speak through their prompts alone")
            raise BatosError("BAD_CONFIG", f"no expert can be served: {why}", _LOCAL)
        if invocation:
            raise BatosError(
                "BAD_EXPERT",
                "the expert has alora_invocation_tokens, and what a model server is told of an expert has no word for them",
                f"{_LOCAL[:-1]}, or train it without them.",
            )

    def prompt(self, row: Row) -> Prompt:
        return self.words.prompt(row)

    def form(self, row: Row) -> Form:
        return Form(row.schema, row.grammar)

    def run(self, wave: RemoteWave, slots: Mapping[str, int]) -> tuple[list[Outcome], int]:
        """All rows at once. A row whose text the server does not make as it was asked to has failed alone.

        NOT_READY where the server is away or has lost the request; BAD_CONFIG where it refuses the key.
        """
        batch = _Batch([self._job(asked) for asked in wave.rows], [asked.form for asked in wave.rows])
        began = time.monotonic()
        self._speak(batch, wave, slots)
        written = [text.tokens for text in batch.texts if text is not None]
        # As whoever waits sees it: what the server needs for the prompts is in it.
        self.pace.has_written(max(written, default=0), sum(written), time.monotonic() - began)
        outcomes = [batch.outcome(row, asked.form) for row, asked in enumerate(wave.rows)]
        prompts: dict[str, int] = {}
        for asked, text in zip(wave.rows, batch.texts, strict=True):
            if text is not None:
                words = repr((asked.row.turns, asked.row.prompt, asked.row.expert))
                # Whoever came later to the same prompt may have found it read.
                prompts[words] = max(prompts.get(words, 0), text.prompt_tokens)
        return outcomes, sum(prompts.values())

    def stats(self) -> dict[str, Value]:
        return {
            "device": self._server.url,
            "served": self._served,
            "prompts": "tokens" if self.abilities.token_ids else "texts",
            "bank": {"slots": self.bank.slots, "rank": self.bank.rank},
        }

    def _job(self, asked: RemoteAsked) -> Job:
        voice = self.bank.voice(asked.content and asked.content.sha256)
        return self.words.job(asked.row, asked.prompt, {"model": self._served, **voice})

    def _speak(self, batch: _Batch, wave: RemoteWave, used: Iterable[str]) -> None:
        """All texts of a wave. Those for which the server was too busy, beside others, are asked for again after these."""
        waiting = list(range(len(wave.rows)))
        while waiting:
            self.bank.serve(used)
            asyncio.run(self._ask(batch, waiting, wave))
            busy = [row for row in waiting if batch.is_busy(row)]
            if busy and (len(busy) == len(waiting) or wave.should_stop()):
                raise batch.errors[busy[0]]
            for row in busy:
                batch.reset(row)
            waiting = busy

    async def _ask(self, batch: _Batch, rows: Sequence[int], wave: RemoteWave) -> None:
        """All texts at once. What is under way when it is time to stop keeps what it has; the streams are closed."""
        texts = self.abilities.texts
        room = Room(texts if texts > 1 else MAX_ROWS)
        async with self._server.session() as session:
            pending = {
                asyncio.create_task(self._follow(session, lane, batch, wave, room))
                for lane in lanes({row: batch.jobs[row] for row in rows}, texts)
            }
            try:
                while pending and not wave.should_stop():
                    done, pending = await asyncio.wait(pending, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
                    # Each is asked, so that none is said to have failed unheard.
                    failures = [error for task in done if (error := task.exception()) is not None]
                    if failures:
                        raise failures[0]
            finally:
                for task in pending:
                    task.cancel()
                await asyncio.gather(*pending, return_exceptions=True)

    async def _follow(
        self, session: httpx2.AsyncClient, lane: Sequence[Request], batch: _Batch, wave: RemoteWave, room: Room
    ) -> None:
        """The lane's requests, one after the other. What is wrong with one of them is its rows' own, or raised for all."""
        for request in lane:
            async with room.of(len(request.rows)):
                if wave.should_stop():
                    return
                texts = batch.begun(request)
                try:
                    await self._hear(session, request, texts, wave)
                    errors = texts.errors
                except BatosError as error:
                    errors = dict.fromkeys(range(len(request.rows)), error) | texts.errors
                for place, wrong in errors.items():
                    batch.fail(request.rows[place], wrong, is_heard=wave.on_piece is not None)

    async def _hear(self, session: httpx2.AsyncClient, request: Request, texts: Texts, wave: RemoteWave) -> None:
        """Take what the server says into `texts`, until they have their end or it is time to stop."""
        try:
            async with aclosing(self._server.stream(session, request.job.path, request.body)) as chunks:
                async for chunk in chunks:
                    for place, piece in texts.take(chunk):
                        if wave.on_piece is not None:
                            wave.on_piece(request.rows[place], piece)
                    if wave.should_stop():
                        return
                    if texts.are_whole:
                        break
        except BatosError as error:
            if error.data.get("status") == 404 and request.job.model != self._served:
                # It was there a moment ago: the server has restarted, and the next batch loads it again.
                lost = f"the model server has lost the expert {request.job.model[:12]}…"
                raise BatosError("NOT_READY", lost, "Try again.", lost=True) from error
            raise
        texts.close(self.words)


class _Batch:
    """The rows of one wave, each with what it asks for and what has become of it: no row costs another one its text."""

    def __init__(self, jobs: Sequence[Job], forms: Sequence[Form]) -> None:
        self.errors: dict[int, BatosError] = {}
        self.texts: list[Text | None] = [None] * len(jobs)
        self.jobs = jobs
        self._forms = forms

    def begun(self, request: Request) -> Texts:
        texts = Texts([self.jobs[row] for row in request.rows], [self._forms[row] for row in request.rows])
        for row, text in zip(request.rows, texts.texts, strict=True):
            self.texts[row] = text
        return texts

    def fail(self, row: int, error: BatosError, *, is_heard: bool) -> None:
        """Note what has become of the row; raises what is not its own: a refused key, or a lost text that somebody has heard."""
        if error.code == "BAD_CONFIG":
            raise error
        text = self.texts[row]
        if error.code == "NOT_READY" and is_heard and text is not None and text.text:
            raise error
        self.errors[row] = error

    def is_busy(self, row: int) -> bool:
        return row in self.errors and self.errors[row].code == "NOT_READY"

    def reset(self, row: int) -> None:
        """It is asked for again."""
        del self.errors[row]
        self.texts[row] = None

    def outcome(self, row: int, form: Form) -> Outcome:
        """What is told of the row, whose text is to have this form."""
        text = self.texts[row] or Text(self.jobs[row])
        try:
            if row in self.errors:
                raise self.errors[row]
            return Outcome(text.generated(form))
        except BatosError as error:
            return failed(error, text.tokens)
