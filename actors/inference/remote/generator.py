"""The engine for who has outgrown one machine: an OpenAI-compatible server generates, and this house stays its judge.

Rows, experts and forms are checked here before anything is sent, experts by the same rules as for the local device; the
slots of the server's bank are moved by the same `Tiers`. What comes back is checked as well: that the text is of the
model that was asked for, that it has an end, and that it keeps its form (`remote_text`). All rows of a batch are asked for at
once; the server makes batches of them as it likes, so that the same rows need not give the same texts again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Final

import httpx2

from actors.inference.decoding.decoding import OnPiece, ShouldStop
from actors.inference.experts.tiers import Place, Tiers
from actors.inference.forms.constraints import Form
from actors.inference.remote.remote_bank import RemoteBank
from actors.inference.remote.remote_text import Job, Text, Words, failed
from actors.inference.remote.server import Server
from actors.inference.rows import check, check_number, content_of, distinct
from actors.inference.weights.adapter import read_adapter
from actors.inference.weights.expert import Content, Manifest, write_expert
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import Generated, Inferred, Row

POLL_S: Final = 0.05
"""Seconds between two looks at whether to stop, where the server is silent."""


class RemoteEngine:
    """Not for two threads at once, `prefetch`, `place` and `stats` apart."""

    def __init__(
        self, server: Server, served: str, bank: RemoteBank, words: Words, *, base_model: str, warm_bytes: int
    ) -> None:
        """`served` is the base model's name on the server, `base_model` its digest; `words` makes its prompts."""
        self._server = server
        self._served = served
        self._bank = bank
        self._words = words
        self._tiers = Tiers(bank, base_model, warm_bytes)
        self._generated = 0
        self._prompted = 0
        self._seconds = 0.0

    @property
    def base_model(self) -> str:
        return self._tiers.layout.base_model

    def generate(
        self,
        rows: Sequence[Row],
        on_piece: OnPiece | None = None,
        should_stop: ShouldStop | None = None,
        experts: Mapping[str, Content] | None = None,
    ) -> Inferred:
        """All rows at once, or in several batches where they use more experts than the server may have.

        A row whose form or words cannot be sent, or whose text the server does not make as it was asked to, has `failed`; the
        others go on. Where no row is left, the first one's error is raised. BatosError for a row or an expert that makes no
        sense; NOT_READY where the server is away or has lost the request.
        """
        started = time.monotonic()
        check_number(rows)
        for number, row in enumerate(rows):
            check(row, number)
        contents = [content_of(row, number, experts or {}) for number, row in enumerate(rows)]
        for content in distinct(contents).values():
            _check(content.invocation)
        batch = _Batch(rows, [_model(content, self._served) for content in contents], self._words)
        stop = should_stop or (lambda: False)
        live = batch.left()
        waves = [[live[place] for place in wave] for wave in self._tiers.waves([contents[row] for row in live])]
        if len(waves) > 1:
            # A file that is spoiled must be found before the first wave has spoken.
            for content in distinct(contents[row] for row in live).values():
                self._tiers.warm(content)
        for number, wave in enumerate(waves):
            used = distinct(contents[row] for row in wave)
            later = distinct(contents[row] for rest in waves[number + 1 :] for row in rest)
            with self._tiers.hold(used.values(), later):
                self._speak(batch, wave, used, on_piece, stop)
        generated = batch.generated()
        seconds = time.monotonic() - started
        prompts = {
            repr((row.turns, row.prompt, row.expert)): text.prompt_tokens
            for row, text in zip(rows, batch.texts, strict=True)
            if text is not None
        }
        self._generated += sum(row.tokens for row in generated)
        self._prompted += sum(prompts.values())
        self._seconds += seconds
        return Inferred(rows=generated, prompt_tokens=sum(prompts.values()), seconds=seconds)

    def convert(self, adapter: Path, target: Path) -> Manifest:
        layout = self._tiers.layout
        found = read_adapter(adapter, layout.shapes, rank=layout.rank, base_model=layout.base_model)
        _check(found.invocation)
        return write_expert(found, layout, target)

    def activate(self, content: Content, *, pin: bool = False) -> None:
        _check(content.invocation)
        self._tiers.activate(content, pin=pin)

    def prefetch(self, plan: str, contents: Sequence[Content]) -> None:
        # Rows that name one of the others will be told.
        self._tiers.prefetch(plan, [content for content in contents if not content.invocation])

    def repin(self, content: Content) -> None:
        self._tiers.repin(content, lambda: _check(content.invocation))

    def unpin(self, content: Content) -> None:
        self._tiers.unpin(content)

    def evict(self, content: Content) -> None:
        self._tiers.evict(content)
        self._bank.tidy()

    def release(self, sha256: str, reason: str) -> None:
        self._tiers.release(sha256, reason)
        self._bank.tidy()

    def place(self, sha256: str) -> Place:
        return self._tiers.place(sha256)

    def stats(self) -> dict[str, Value]:
        return {
            "device": self._server.url,
            "served": self._served,
            "prompts": "tokens" if self._words.takes_tokens else "texts",
            "generated_tokens": self._generated,
            "prompt_tokens": self._prompted,
            "busy_seconds": self._seconds,
            "bank": {"slots": self._bank.slots, "rank": self._bank.rank},
        }

    def _speak(
        self, batch: _Batch, wave: Sequence[int], used: Iterable[str], on_piece: OnPiece | None, should_stop: ShouldStop
    ) -> None:
        """All texts of a wave. Those for which the server was too busy, beside others, are asked for again after these."""
        waiting = list(wave)
        while waiting:
            self._bank.serve(used)
            asyncio.run(self._ask(batch, waiting, on_piece, should_stop))
            busy = [row for row in waiting if batch.is_busy(row)]
            if busy and (len(busy) == len(waiting) or should_stop()):
                raise batch.errors[busy[0]]
            for row in busy:
                batch.reset(row)
            waiting = busy

    async def _ask(self, batch: _Batch, rows: Sequence[int], on_piece: OnPiece | None, should_stop: ShouldStop) -> None:
        """All texts at once. What is under way when it is time to stop keeps what it has; the streams are closed."""
        async with self._server.session() as session:
            tasks = {
                asyncio.create_task(self._follow(session, batch.begun(row), _speaker(on_piece, row), should_stop)): row
                for row in rows
                if not should_stop()
            }
            pending = set(tasks)
            try:
                while pending and not should_stop():
                    done, pending = await asyncio.wait(pending, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
                    # Each is asked, so that none is said to have failed unheard.
                    ended = [(tasks[task], error) for task in done if (error := task.exception()) is not None]
                    for row, error in ended:
                        batch.fail(row, error, is_heard=on_piece is not None)
            finally:
                for task in pending:
                    task.cancel()
                await asyncio.gather(*pending, return_exceptions=True)

    async def _follow(
        self, session: httpx2.AsyncClient, text: Text, say: Callable[[str], None], should_stop: ShouldStop
    ) -> None:
        """Take what the server says into `text`, until it has its end or it is time to stop."""
        job = text.job
        try:
            async with aclosing(self._server.stream(session, job.path, job.body)) as chunks:
                async for chunk in chunks:
                    if piece := text.take(chunk):
                        say(piece)
                    if should_stop():
                        return
        except BatosError as error:
            if error.data.get("status") == 404 and job.model != self._served:
                # It was there a moment ago: the server has restarted, and the next batch loads it again.
                lost = f"the model server has lost the expert {job.model[:12]}…"
                raise BatosError("NOT_READY", lost, "Try again.", lost=True) from error
            raise
        text.close(self._words)


class _Batch:
    """The rows of one request, each with what it asks for and what has become of it: no row costs another one its text."""

    def __init__(self, rows: Sequence[Row], models: Sequence[str], words: Words) -> None:
        self.errors: dict[int, BatosError] = {}
        self.texts: list[Text | None] = [None] * len(rows)
        self._jobs: dict[int, Job] = {}
        self._forms: dict[int, Form] = {}
        for number, (row, model) in enumerate(zip(rows, models, strict=True)):
            try:
                self._forms[number] = Form(row.schema, row.grammar)
                self._jobs[number] = words.job(row, model)
            except BatosError as error:
                self.errors[number] = error
        self._raise_if_nothing_is_left()

    def left(self) -> list[int]:
        """The rows that nothing is wrong with so far."""
        return [number for number in range(len(self.texts)) if number not in self.errors]

    def begun(self, row: int) -> Text:
        text = self.texts[row] = Text(self._jobs[row])
        return text

    def fail(self, row: int, error: BaseException, *, is_heard: bool) -> None:
        """Note what has become of the row; raises what is not its own: a refused key, or a lost text that somebody has heard."""
        if not isinstance(error, BatosError) or error.code == "BAD_CONFIG":
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

    def generated(self) -> list[Generated]:
        """What is told of the rows, in order; the first failure where there is nothing else to tell."""
        made: dict[int, Generated] = {}
        for row in self.left():
            text = self.texts[row] or Text(self._jobs[row])
            try:
                made[row] = text.generated(self._forms[row], row)
            except BatosError as error:
                self.errors[row] = error
        self._raise_if_nothing_is_left()
        return [made.get(row) or failed(self.errors[row], text) for row, text in enumerate(self.texts)]

    def _raise_if_nothing_is_left(self) -> None:
        if self.errors and len(self.errors) == len(self.texts):
            raise self.errors[min(self.errors)]


def _speaker(on_piece: OnPiece | None, number: int) -> Callable[[str], None]:
    return (lambda _: None) if on_piece is None else partial(on_piece, number)


def _check(invocation: Sequence[int]) -> None:
    """BAD_EXPERT for an expert that begins within a prompt."""
    if invocation:
        raise BatosError(
            "BAD_EXPERT",
            "the expert has alora_invocation_tokens, and what a model server is told of an expert has no word for them",
            'Serve it on this machine (`engine = "local"` under [inference] in batos.toml), or train it without them.',
        )


def _model(content: Content | None, served: str) -> str:
    return served if content is None else content.sha256
