"""The engine for who has outgrown one machine: an OpenAI-compatible server generates, and this house stays its judge.

Rows, experts and forms are checked here before anything is sent, experts by the same rules as for the local device; the
slots of the server's bank are moved by the same `Tiers`. What comes back is checked as well: that the text is of the
model that was asked for, that it has an end, and that it keeps its form. All rows of a batch are asked for at once; the
server makes batches of them as it likes, so that the same rows need not give the same texts again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import httpx2

from actors.inference.adapter import read_adapter
from actors.inference.constraints import Form
from actors.inference.decoding import OnPiece, ShouldStop
from actors.inference.expert import Content, Manifest, write_expert
from actors.inference.remote_bank import RemoteBank
from actors.inference.rows import check, check_number, content_of, distinct, renumbered
from actors.inference.sampling import COLD
from actors.inference.server import Chunk, Server
from actors.inference.tiers import Place, Tiers
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import Generated, Inferred, Row

POLL_S: Final = 0.05
"""Seconds between two looks at whether to stop, where the server is silent."""


class Job(NamedTuple):
    """One text to ask for: where, with which body, of which model."""

    path: str
    body: dict[str, Any]
    model: str


class _Text:
    """One text under way."""

    def __init__(self) -> None:
        self.text = ""
        self.tokens = 0
        self.prompt_tokens = 0
        self.finish: Literal["stop", "length"] | None = None

    def take(self, chunk: Chunk, model: str) -> str:
        """What the text has grown by; GENERATION_FAILED where it is another model's, or has a strange end."""
        if chunk.model and chunk.model != model:
            raise BatosError("GENERATION_FAILED", f"{model} was asked for, and the model server used {chunk.model}")
        piece = ""
        for choice in chunk.choices:
            piece += choice.text or (choice.delta.content if choice.delta else "") or ""
            match choice.finish_reason:
                case None:
                    pass
                case "stop" | "length" as finish:
                    self.finish = finish
                case strange:
                    raise BatosError("GENERATION_FAILED", f"the model server ended a text with {strange!r}")
        self.text += piece
        if chunk.usage is not None:
            self.tokens, self.prompt_tokens = chunk.usage.completion_tokens, chunk.usage.prompt_tokens
        elif piece:
            self.tokens += 1  # a chunk is a token, as long as no usage says better
        return piece


class RemoteEngine:
    """Not for two threads at once, `prefetch`, `place` and `stats` apart."""

    def __init__(self, server: Server, served: str, bank: RemoteBank, base_model: str, warm_bytes: int) -> None:
        """`served` is the base model's name on the server, `base_model` its digest."""
        self._server = server
        self._served = served
        self._bank = bank
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

        BatosError for a row, an expert or a form that makes no sense; NOT_READY where the server is away or has lost
        the request; GENERATION_FAILED where a text has no end or does not keep its form.
        """
        started = time.monotonic()
        check_number(rows)
        for number, row in enumerate(rows):
            check(row, number)
        contents = [content_of(row, number, experts or {}) for number, row in enumerate(rows)]
        for content in distinct(contents).values():
            _check(content.invocation)
        forms = [Form(row.schema, row.grammar) for row in rows]
        stop = should_stop or (lambda: False)
        texts: dict[int, _Text] = {}
        waves = self._tiers.waves(contents)
        if len(waves) > 1:
            # A file that is spoiled must be found before the first wave has spoken.
            for content in distinct(contents).values():
                self._tiers.warm(content)
        for number, wave in enumerate(waves):
            used = distinct(contents[row] for row in wave)
            later = distinct(contents[row] for rest in waves[number + 1 :] for row in rest)
            with self._tiers.hold(used.values(), later):
                self._bank.serve(used)
                jobs = [_job(rows[row], _model(contents[row], self._served)) for row in wave]
                made = asyncio.run(self._ask(jobs, renumbered(on_piece, wave), stop))
            texts.update(zip(wave, made, strict=True))
        generated = [_generated(texts[number], form, number) for number, form in enumerate(forms)]
        seconds = time.monotonic() - started
        prompts = {repr((row.turns, row.prompt, row.expert)): texts[n].prompt_tokens for n, row in enumerate(rows)}
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
            "generated_tokens": self._generated,
            "prompt_tokens": self._prompted,
            "busy_seconds": self._seconds,
            "bank": {"slots": self._bank.slots, "rank": self._bank.rank},
        }

    async def _ask(self, jobs: Sequence[Job], on_piece: OnPiece | None, should_stop: ShouldStop) -> list[_Text]:
        """All texts at once. What is under way when it is time to stop keeps what it has; the streams are closed."""
        texts = [_Text() for _ in jobs]
        async with self._server.session() as session:
            pending = {
                asyncio.create_task(self._follow(session, job, text, _speaker(on_piece, number), should_stop))
                for number, (job, text) in enumerate(zip(jobs, texts, strict=True))
                if not should_stop()
            }
            try:
                while pending and not should_stop():
                    done, pending = await asyncio.wait(pending, timeout=POLL_S, return_when=asyncio.FIRST_EXCEPTION)
                    # Each is asked, so that none is said to have failed unheard.
                    failed = [error for task in done if (error := task.exception()) is not None]
                    if failed:
                        raise failed[0]
            finally:
                for task in pending:
                    task.cancel()
                await asyncio.gather(*pending, return_exceptions=True)
        return texts

    async def _follow(
        self,
        session: httpx2.AsyncClient,
        job: Job,
        text: _Text,
        say: Callable[[str], None],
        should_stop: ShouldStop,
    ) -> None:
        """Take what the server says into `text`, until it has its end or it is time to stop."""
        try:
            async with aclosing(self._server.stream(session, job.path, job.body)) as chunks:
                async for chunk in chunks:
                    if piece := text.take(chunk, job.model):
                        say(piece)
                    if should_stop():
                        return
        except BatosError as error:
            if error.data.get("status") == 404 and job.model != self._served:
                # It was there a moment ago: the server has restarted, and the next batch loads it again.
                lost = f"the model server has lost the expert {job.model[:12]}…"
                raise BatosError("NOT_READY", lost, "Try again.", lost=True) from error
            raise
        if text.finish is None:
            raise BatosError("GENERATION_FAILED", "the model server ended a text without saying why")


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


def _job(row: Row, model: str) -> Job:
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": row.max_tokens,
        "temperature": row.sampling.temperature if row.sampling.temperature >= COLD else 0.0,
        "top_p": row.sampling.top_p,
        "seed": row.seed % 2**63,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if row.schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "form", "schema": row.schema, "strict": True},
        }
    if row.grammar is not None:
        body["structured_outputs"] = {"grammar": row.grammar}
    if not row.turns:
        return Job("/v1/completions", {**body, "prompt": row.prompt}, model)
    continued = row.turns[-1].role == "assistant"
    messages = [{"role": turn.role, "content": turn.content} for turn in row.turns]
    chat = {"messages": messages, "add_generation_prompt": not continued, "continue_final_message": continued}
    return Job("/v1/chat/completions", {**body, **chat}, model)


def _generated(text: _Text, form: Form, number: int) -> Generated:
    finish = text.finish or "length"
    if not (form.is_kept(text.text) if finish == "stop" else form.is_begun(text.text)):
        raise BatosError(
            "GENERATION_FAILED",
            f"row {number}: the model server has not kept the form that it was given",
            "Run it with the guidance backend for structured outputs: docs/engines.md",
        )
    return Generated(text=text.text, tokens=text.tokens, finish=finish)
