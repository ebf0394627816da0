"""What generates: the `Engine` protocol, and the engine on this machine's device.

An engine takes rows as they travel and gives texts back, in order. Everything that can be wrong with a row is
found before the first token, so that one bad row costs the others nothing but an answer.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any, Final, Protocol

import torch
from llguidance import LLMatcher

from actors.inference.constraints import Vocabulary
from actors.inference.decoding import Job, OnPiece, ShouldStop, decode
from actors.inference.incarnation import Incarnation
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import Generated, Inferred, Row

MAX_ROWS: Final = 64
_WARM_FORM: Final = 'start: "ok"'


class Engine(Protocol):
    """Whatever turns rows into texts."""

    def generate(
        self, rows: Sequence[Row], on_piece: OnPiece | None = None, should_stop: ShouldStop | None = None
    ) -> Inferred: ...

    def stats(self) -> dict[str, Value]: ...


class LocalEngine:
    """The model in this process. Not for two threads at once."""

    def __init__(self, incarnation: Incarnation) -> None:
        self._model = incarnation.model
        self._tokenizer = incarnation.tokenizer
        self._context = incarnation.context
        self._stop = frozenset(incarnation.stop)
        self._vocabulary = Vocabulary(
            incarnation.tokenizer_json, int(incarnation.model.get_output_embeddings().out_features), incarnation.stop
        )
        self._generated = 0
        self._prompted = 0
        self._seconds = 0.0

    def warm(self) -> None:
        """Touch every weight and every first-time cost before somebody waits for it."""
        free = Row(prompt="a", max_tokens=2)
        self.generate([free, free, Row(prompt="a", grammar=_WARM_FORM)])

    def generate(
        self, rows: Sequence[Row], on_piece: OnPiece | None = None, should_stop: ShouldStop | None = None
    ) -> Inferred:
        """All rows in one batch; BatosError for a row that makes no sense, GENERATION_FAILED where the device fails."""
        started = time.monotonic()
        jobs = self._jobs(rows)
        try:
            texts, computed = decode(
                self._model,
                self._vocabulary,
                jobs,
                self._stop,
                on_piece=on_piece,
                should_stop=should_stop or (lambda: False),
            )
        except (RuntimeError, MemoryError) as error:
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            raise BatosError(
                "GENERATION_FAILED", f"the model failed: {str(error)[:300]}", "Ask for fewer rows or shorter texts."
            ) from error
        seconds = time.monotonic() - started
        self._generated += sum(text.tokens for text in texts)
        self._prompted += computed
        self._seconds += seconds
        generated = [Generated(text=text.text, tokens=text.tokens, finish=text.finish) for text in texts]
        return Inferred(rows=generated, prompt_tokens=computed, seconds=seconds)

    def stats(self) -> dict[str, Value]:
        return {
            "device": str(self._model.device),
            "dtype": str(self._model.dtype).removeprefix("torch."),
            "context": self._context,
            "generated_tokens": self._generated,
            "prompt_tokens": self._prompted,
            "busy_seconds": self._seconds,
        }

    def _jobs(self, rows: Sequence[Row]) -> list[Job]:
        if len(rows) > MAX_ROWS:
            raise BatosError(
                "TOO_LARGE", f"{len(rows)} rows are over the limit of {MAX_ROWS}", "Ask in several batches."
            )
        prompts: dict[str, tuple[int, ...]] = {}
        forms: dict[str, LLMatcher | None] = {}
        return [self._job(row, number, prompts, forms) for number, row in enumerate(rows)]

    def _job(
        self, row: Row, number: int, prompts: dict[str, tuple[int, ...]], forms: dict[str, LLMatcher | None]
    ) -> Job:
        _check(row, number)
        key = repr((row.turns, row.prompt))
        if key not in prompts:
            prompts[key] = self._tokens(row)
        prompt = prompts[key]
        room = self._context - len(prompt)
        if room < 1:
            raise BatosError(
                "TOO_LARGE",
                f"row {number}: a prompt of {len(prompt)} tokens does not fit the model's context of {self._context}",
                "Send a shorter prompt.",
                tokens=len(prompt),
                context=self._context,
            )
        form = repr((row.schema, row.grammar))
        if form not in forms:
            forms[form] = self._vocabulary.compile(row.schema, row.grammar)
        matcher = forms[form]
        return Job(
            prompt=prompt,
            limit=min(row.max_tokens, room),
            temperature=row.sampling.temperature,
            top_p=row.sampling.top_p,
            seed=row.seed,
            constraint=None if matcher is None else self._vocabulary.constrain(matcher),
        )

    def _tokens(self, row: Row) -> tuple[int, ...]:
        """The prompt's tokens: a bare text as the tokenizer begins one, or the turns in the model's own template."""
        if not row.turns:
            return tuple(self._tokenizer(row.prompt)["input_ids"])
        turns: list[Any] = [{"role": turn.role, "content": turn.content} for turn in row.turns]
        continued = row.turns[-1].role == "assistant"
        try:
            text = self._tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=not continued, continue_final_message=continued
            )
        except Exception as error:  # a template is a program of the model's, and raises as it likes
            raise BatosError(
                "BAD_ARGUMENT", f"the model's chat template refuses these turns: {error}", "Give a bare `prompt`."
            ) from error
        return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])


def _check(row: Row, number: int) -> None:
    if row.expert is not None:
        raise BatosError(
            "BAD_ARGUMENT", f"row {number}: there is no expert {row.expert[:100]!r} here", "Leave `expert` out."
        )
    if bool(row.turns) == bool(row.prompt):
        raise BatosError("BAD_ARGUMENT", f"row {number} needs either turns or a prompt")
    if row.max_tokens < 1:
        raise BatosError("BAD_ARGUMENT", f"row {number}: max_tokens is {row.max_tokens}, it must be at least 1")
    temperature, top_p = row.sampling.temperature, row.sampling.top_p
    if not (math.isfinite(temperature) and 0 <= temperature <= 100):
        raise BatosError("BAD_ARGUMENT", f"row {number}: temperature is {temperature}, it must be from 0 to 100")
    if not 0 < top_p <= 1:
        raise BatosError("BAD_ARGUMENT", f"row {number}: top_p is {top_p}, it must be over 0 and at most 1")
