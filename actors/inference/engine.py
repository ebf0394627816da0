"""What generates: the `Engine` protocol, and the engine on this machine's device.

An engine takes rows as they travel and gives texts back, in order. Everything that can be wrong with a row, or with an
expert that it names, is found before the first token, so that one bad row costs the others nothing but an answer. What
a name means is said with the rows, once for all of them: so no batch can mix an expert's old content and its new.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from llguidance import LLMatcher

from actors.inference.decoding.bank import Bank
from actors.inference.decoding.decoding import Job, OnPiece, ShouldStop, Text, decode
from actors.inference.decoding.prefixes import Prefixes
from actors.inference.decoding.trial import check_rows
from actors.inference.experts.tiers import Place, Tiers
from actors.inference.forms.constraints import Vocabulary
from actors.inference.model.device import is_full, no_room
from actors.inference.model.fusing import fuse
from actors.inference.model.incarnation import Incarnation
from actors.inference.model.sources import AGAIN, HINT
from actors.inference.prompts import Prompts
from actors.inference.rows import check, check_number, content_of, distinct, renumbered
from actors.inference.weights.adapter import read_adapter
from actors.inference.weights.expert import Content, Manifest, write_expert
from actors.inference.weights.placement import lend
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import Generated, Inferred, Row

_WARM_FORM: Final = 'start: "ok"'


class Engine(Protocol):
    """Whatever turns rows into texts."""

    @property
    def base_model(self) -> str:
        """The digest of the model that generates, which experts must have been made for."""

    def generate(
        self,
        rows: Sequence[Row],
        on_piece: OnPiece | None = None,
        should_stop: ShouldStop | None = None,
        experts: Mapping[str, Content] | None = None,
    ) -> Inferred:
        """The rows' texts; `experts` says what each name means that a row uses."""

    def convert(self, adapter: Path, target: Path) -> Manifest:
        """Check the foreign adapter and write it as an expert for this model into the new file `target`."""

    def activate(self, content: Content, *, pin: bool = False) -> None:
        """Have the expert on the device; where it cannot be, everything serves as before."""

    def prefetch(self, plan: str, contents: Sequence[Content]) -> None:
        """Rows of this plan will use these, in this order: fetch them, and disturb nobody. From a thread of its own."""

    def repin(self, content: Content) -> None:
        """Have what was pinned before on the device and keep it there, or say why not, and do so as soon as rows bring it."""

    def unpin(self, content: Content) -> None:
        """Its name keeps it no more."""

    def evict(self, content: Content) -> None:
        """Have the expert nowhere but in the world; BUSY where it is pinned or in use."""

    def release(self, sha256: str, reason: str) -> None:
        """No name means this content any more."""

    def place(self, sha256: str) -> Place:
        """Where the content is now; from any thread."""

    def stats(self) -> dict[str, Value]: ...


class LocalEngine:
    """The model in this process, and the bank around it. Not for two threads at once, `prefetch`, `place` and `stats` apart."""

    def __init__(
        self,
        incarnation: Incarnation,
        *,
        base_model: str = "",
        slots: int = 4,
        rank: int = 16,
        warm_bytes: int = 2_000_000_000,
        prefix_bytes: int = 256_000_000,
    ) -> None:
        """`base_model` is the digest of the incarnation; the rest is as the settings of inference say it."""
        self._model = incarnation.model
        self._tokenizer = incarnation.tokenizer
        self._prompts = Prompts(self._tokenizer, incarnation.tokenizer_json)
        self._context = incarnation.context
        self._stop = frozenset(incarnation.stop)
        self._words = words_of(incarnation)
        self._vocabulary = Vocabulary(incarnation.tokenizer_json, self._words, incarnation.stop)
        fuse(incarnation.model)
        self._bank = Bank(incarnation.model, slots=slots, rank=rank, dtype=incarnation.dtype)
        self._prefixes = Prefixes(incarnation.model, self._bank, prefix_bytes)
        self._tiers = Tiers(self._bank, base_model, warm_bytes)
        self._generated = 0
        self._prompted = 0
        self._seconds = 0.0

    @property
    def base_model(self) -> str:
        return self._tiers.layout.base_model

    def warm(self) -> None:
        """Touch every weight and every first-time cost before somebody waits for it."""
        free = Row(prompt="a", max_tokens=2)
        self.generate([free, free, Row(prompt="a", grammar=_WARM_FORM)])

    def prove(self) -> None:
        """Warm, and BAD_MODEL where that fails, or where rows would not be told what the model says to each alone."""
        try:
            self.warm()
        except BatosError as error:
            if error.code == "OUT_OF_MEMORY":
                raise
            raise BatosError("BAD_MODEL", f"the model cannot be served: {error.message}", HINT) from error
        check_rows(self._model, self._bank, self._prefixes, self._tokenizer, self._context)

    def generate(
        self,
        rows: Sequence[Row],
        on_piece: OnPiece | None = None,
        should_stop: ShouldStop | None = None,
        experts: Mapping[str, Content] | None = None,
    ) -> Inferred:
        """All rows in one batch, or in several where they use more experts than the bank has slots.

        BatosError for a row or an expert that makes no sense, OUT_OF_MEMORY, after which it serves on, or GENERATION_FAILED.
        """
        started = time.monotonic()
        contents = [content_of(row, number, experts or {}) for number, row in enumerate(rows)]
        jobs = self._jobs(rows)
        stop = should_stop or (lambda: False)
        try:
            texts, computed = self._decode(jobs, contents, on_piece, stop)
        except (RuntimeError, MemoryError) as error:
            if is_full(error):
                raise no_room(error, f"{len(rows)} rows") from None
            raise BatosError(
                "GENERATION_FAILED", f"the model failed: {str(error)[:300]}", "`batos status` names its device."
            ) from error
        seconds = time.monotonic() - started
        self._generated += sum(text.tokens for text in texts)
        self._prompted += computed
        self._seconds += seconds
        generated = [
            Generated(text=text.text, tokens=text.tokens, finish=text.finish, reason=text.reason) for text in texts
        ]
        return Inferred(rows=generated, prompt_tokens=computed, seconds=seconds)

    def convert(self, adapter: Path, target: Path) -> Manifest:
        layout = self._tiers.layout
        found = read_adapter(
            adapter, layout.shapes, rank=layout.rank, base_model=layout.base_model, vocabulary=self._words
        )
        if found.invocation and not self._prefixes.divides:
            raise BatosError(
                "BAD_EXPERT",
                "the adapter has alora_invocation_tokens, and this base model cannot read a prompt in parts",
                "Experts for this model are plain LoRA. Train it without invocation tokens.",
            )
        return write_expert(found, layout, target)

    def activate(self, content: Content, *, pin: bool = False) -> None:
        self._tiers.activate(content, pin=pin)

    def prefetch(self, plan: str, contents: Sequence[Content]) -> None:
        self._tiers.prefetch(plan, contents)

    def repin(self, content: Content) -> None:
        self._tiers.repin(content)

    def unpin(self, content: Content) -> None:
        self._tiers.unpin(content)

    def evict(self, content: Content) -> None:
        self._tiers.evict(content)

    def release(self, sha256: str, reason: str) -> None:
        self._tiers.release(sha256, reason)

    def place(self, sha256: str) -> Place:
        return self._tiers.place(sha256)

    def stats(self) -> dict[str, Value]:
        return {
            "device": str(self._bank.device),
            "dtype": str(self._model.dtype).removeprefix("torch."),
            "context": self._context,
            "generated_tokens": self._generated,
            "prompt_tokens": self._prompted,
            "busy_seconds": self._seconds,
            "bank": {"slots": self._bank.slots, "rank": self._bank.rank, "slot_bytes": self._bank.slot_bytes},
            "prefix_bytes": self._prefixes.bytes,
        }

    def _decode(
        self,
        jobs: Sequence[Job],
        contents: Sequence[Content | None],
        on_piece: OnPiece | None,
        should_stop: ShouldStop,
    ) -> tuple[list[Text], int]:
        """The texts in order; each wave of rows holds the slots of its experts until its last token."""
        texts: dict[int, Text] = {}
        computed = 0
        waves = self._tiers.waves(contents)
        if len(waves) > 1:
            # A file that is spoiled must be found before the first wave has spoken.
            for content in distinct(contents).values():
                self._tiers.warm(content)
        for number, wave in enumerate(waves):
            used = distinct(contents[row] for row in wave)
            later = distinct(contents[row] for rest in waves[number + 1 :] for row in rest)
            with self._tiers.hold(used.values(), later) as slots:
                made, prompted = decode(
                    self._model,
                    self._vocabulary,
                    [jobs[row] for row in wave],
                    self._stop,
                    bank=self._bank,
                    prefixes=self._prefixes,
                    lent=[lend(contents[row], slots, jobs[row].prompt) for row in wave],
                    on_piece=renumbered(on_piece, wave),
                    should_stop=should_stop,
                )
            texts.update(zip(wave, made, strict=True))
            computed += prompted
        return [texts[row] for row in range(len(jobs))], computed

    def _jobs(self, rows: Sequence[Row]) -> list[Job]:
        check_number(rows)
        prompts: dict[str, tuple[int, ...]] = {}
        forms: dict[str, LLMatcher | None] = {}
        return [self._job(row, number, prompts, forms) for number, row in enumerate(rows)]

    def _job(
        self, row: Row, number: int, prompts: dict[str, tuple[int, ...]], forms: dict[str, LLMatcher | None]
    ) -> Job:
        check(row, number)
        key = repr((row.turns, row.prompt))
        if key not in prompts:
            prompts[key] = self._prompt(row, number)
        prompt = prompts[key]
        room = self._context - len(prompt)
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
        return self._prompts.tokens(row)

    def _prompt(self, row: Row, number: int) -> tuple[int, ...]:
        """The tokens of a prompt, of which there is one at least, and room for one more."""
        # No text has fewer tokens than this; so one that is far too long is not cut into them.
        least = max(map(len, (row.prompt, *(turn.content for turn in row.turns)))) // self._prompts.longest
        prompt = () if least >= self._context else self._tokens(row)
        length = max(least, len(prompt))
        if length >= self._context:
            raise BatosError(
                "TOO_LARGE",
                f"row {number}: a prompt of {length} tokens does not fit the model's context of {self._context}",
                "Send a shorter prompt.",
                tokens=length,
                context=self._context,
            )
        if not prompt:
            raise BatosError(
                "BAD_ARGUMENT",
                f"row {number}: its prompt has no token: the tokenizer leaves nothing of it",
                "Give some words.",
            )
        return prompt


def words_of(incarnation: Incarnation) -> int:
    """How many tokens the model tells apart; BAD_MODEL where its tokenizer has one that the model does not know."""
    last = incarnation.model.get_output_embeddings()
    if last is None:
        raise BatosError("BAD_MODEL", "the model has no output embeddings: it says no words", HINT)
    words, read = (int(one.weight.shape[0]) for one in (last, incarnation.model.get_input_embeddings()))
    most = max(incarnation.tokenizer.get_vocab().values(), default=-1)
    if most >= min(words, read):
        raise BatosError(
            "BAD_MODEL",
            f"the tokenizer has a token {most}, and the model's embeddings have {min(words, read)}",
            "Is the tokenizer that of this model? " + AGAIN,
        )
    return words
