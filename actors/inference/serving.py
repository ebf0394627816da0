"""Rows in, texts out, whoever generates them: what this machine's device and a model server share stands here once.

A `Generator` turns the rows of one wave into texts. Around it, `Serving` refuses what makes no sense, divides the rows
into waves that the bank's slots suffice for, lends each wave its experts, and counts. What is wrong with a single row costs
the others nothing; what its expert is, is said with the rows, once for all of them: so no batch can mix an expert's old
content and its new.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from actors.inference.decoding.pace import Pace
from actors.inference.experts.tiers import ExpertSlots, Tiers
from actors.inference.rows import check, content_of, distinct, renumbered
from actors.inference.weights.expert import Content, Manifest, adopt_expert, manifest_of, write_expert
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import Abilities, Generated, Inferred, Row, Speed

if TYPE_CHECKING:
    from actors.inference.decoding.decoding import OnPiece, ShouldStop

P = TypeVar("P")
F = TypeVar("F")
T = TypeVar("T")


class Asked(NamedTuple, Generic[P, F]):
    """A row that may be served: with its expert, and with its prompt and its form as the generator reads them."""

    row: Row
    content: Content | None
    prompt: P
    form: F


class Wave(NamedTuple, Generic[P, F]):
    """Rows to serve at once. Pieces of text are told by a row's place in here."""

    rows: Sequence[Asked[P, F]]
    on_piece: OnPiece | None
    should_stop: ShouldStop


class Outcome(NamedTuple):
    """What has become of one row. `error` is why it has failed, where it would be that of a request of this row alone."""

    text: Generated
    error: BatosError | None = None


class Generator(Protocol[P, F]):
    """What generates: the device of this machine, or a model server. `pace` is how fast it was lately."""

    pace: Pace

    @property
    def abilities(self) -> Abilities:
        """What it can do, which does not change while it serves."""

    @property
    def bank(self) -> ExpertSlots:
        """Where the experts of rows must be."""

    @property
    def vocabulary_size(self) -> int | None:
        """How many tokens the base model tells apart, where that is known."""

    def accepts(self, invocation: Sequence[int]) -> None:
        """BAD_EXPERT where an expert with these invocation tokens cannot be served."""

    def prompt(self, row: Row) -> P:
        """The row's prompt; BatosError where it cannot be read. Asked once for rows with the same turns and prompt."""

    def form(self, row: Row) -> F:
        """The row's form; BAD_CONSTRAINT where it cannot be kept. Asked once for rows with the same schema and grammar."""

    def run(self, wave: Wave[P, F], slots: Mapping[str, int]) -> tuple[list[Outcome], int]:
        """What becomes of the wave's rows, in order, and how many tokens of prompts were read for them.

        `slots` says where the wave's experts are, by sha256. BatosError where the whole wave comes to nothing.
        """

    def stats(self) -> dict[str, Value]:
        """What `status` shows of it."""


G = TypeVar("G", bound=Generator[Any, Any])


class Serving(Generic[G]):
    """A generator and the experts of its bank. Not for two threads at once, `stats` and what `tiers` allows apart."""

    def __init__(self, generator: G, base_model: str, warm_bytes: int) -> None:
        """`base_model` is the digest of the model that generates, for which experts must have been made."""
        self.generator = generator
        self.tiers = Tiers(generator.bank, base_model, warm_bytes, accepts=generator.accepts)
        self._generated = 0
        self._prompted = 0
        self._seconds = 0.0

    def generate(
        self,
        rows: Sequence[Row],
        on_piece: OnPiece | None = None,
        should_stop: ShouldStop | None = None,
        experts: Mapping[str, Content] | None = None,
    ) -> Inferred:
        """The rows' texts, in one batch, or in several where they use more experts than there are slots.

        `experts` says what each name means that a row uses. A row whose prompt or form cannot be read, or whose text the
        generator does not make, has `failed`, and the others go on; where all have, the first one's error is raised.
        BatosError for a row or an expert that makes no sense, before the first token; OUT_OF_MEMORY, after which it serves
        on, or GENERATION_FAILED.
        """
        started = time.monotonic()
        check(rows)
        contents = [content_of(row, number, experts or {}) for number, row in enumerate(rows)]
        if self.generator.abilities.lora == "none":
            # What the abilities say is done instead: a persona speaks through its prompt, whoever was to lend it a voice.
            contents = [None] * len(rows)
        for content in distinct(contents).values():
            self.generator.accepts(content.invocation)
        asked, outcomes = self._admitted(rows, contents)
        _raise_if_all_failed(outcomes, len(rows))
        try:
            made, prompted = self._run(asked, on_piece, should_stop or (lambda: False))
        except (RuntimeError, MemoryError) as error:
            from actors.inference.model.device import is_full, no_room  # noqa: PLC0415 - seconds of import

            if is_full(error):
                raise no_room(error, f"{len(rows)} rows") from None
            raise BatosError(
                "GENERATION_FAILED", f"the model failed: {str(error)[:300]}", "`batos status` names its device."
            ) from error
        outcomes |= made
        _raise_if_all_failed(outcomes, len(rows))
        texts = [outcomes[number].text for number in range(len(rows))]
        seconds = time.monotonic() - started
        self._generated += sum(text.tokens for text in texts)
        self._prompted += prompted
        self._seconds += seconds
        return Inferred(rows=texts, prompt_tokens=prompted, seconds=seconds, speed=self.speed())

    def convert(self, adapter: Path, target: Path) -> Manifest:
        """Check the foreign adapter and write it as an expert for this model into the new file `target`; BAD_EXPERT.

        An expert's own file, from another world, is copied as it is.
        BAD_CONFIG where no expert can be served, for the adapter is not to blame.
        """
        from actors.inference.weights.adapter import check_invocation, read_adapter  # noqa: PLC0415 - seconds of import

        self.generator.accepts(())
        layout = self.tiers.layout
        if (own := manifest_of(adapter)) is not None:
            check_invocation(list(own.invocation) or None, self.generator.vocabulary_size)
            self.generator.accepts(own.invocation)
            return adopt_expert(own, adapter, layout, target)
        found = read_adapter(
            adapter,
            layout.shapes,
            rank=layout.rank,
            base_model=layout.base_model,
            vocabulary=self.generator.vocabulary_size,
        )
        self.generator.accepts(found.invocation)
        return write_expert(found, layout, target)

    def speed(self) -> Speed:
        """How fast it was lately; from any thread."""
        pace = self.generator.pace
        read, one, many = (round(rate, 2) for rate in (pace.read, pace.one, pace.many))
        return Speed(read=read, one=one, many=many, rows=pace.rows)

    def stats(self) -> dict[str, Value]:
        """What `status` shows; from any thread."""
        return {
            **self.generator.stats(),
            "grammars": self.generator.abilities.grammar != "none",
            "abilities": msgspec.to_builtins(self.generator.abilities),
            "speed": msgspec.to_builtins(self.speed()),
            "generated_tokens": self._generated,
            "prompt_tokens": self._prompted,
            "busy_seconds": self._seconds,
        }

    def _admitted(
        self, rows: Sequence[Row], contents: Sequence[Content | None]
    ) -> tuple[dict[int, Asked[Any, Any]], dict[int, Outcome]]:
        """The rows that may be served, by number, and what has become of the others."""
        prompt = _once(self.generator.prompt, lambda row: repr((row.turns, row.prompt)))
        form = _once(self.generator.form, lambda row: repr((row.schema, row.grammar)))
        asked: dict[int, Asked[Any, Any]] = {}
        outcomes: dict[int, Outcome] = {}
        for number, (row, content) in enumerate(zip(rows, contents, strict=True)):
            try:
                asked[number] = Asked(row, content, prompt(row), form(row))
            except BatosError as error:
                if error.code == "NOT_READY":  # nothing is wrong with the row, and asking again will help
                    raise
                outcomes[number] = failed(error)
        return asked, outcomes

    def _run(
        self, asked: Mapping[int, Asked[Any, Any]], on_piece: OnPiece | None, should_stop: ShouldStop
    ) -> tuple[dict[int, Outcome], int]:
        """What has become of the rows; each wave of them holds the slots of its experts until its last token."""
        rows = list(asked)
        waves = [[rows[place] for place in wave] for wave in self.tiers.waves([asked[row].content for row in rows])]
        if len(waves) > 1:
            # A file that is spoiled must be found before the first wave has spoken.
            for content in distinct(asked[row].content for row in rows).values():
                self.tiers.warm(content)
        outcomes: dict[int, Outcome] = {}
        prompted = 0
        for number, wave in enumerate(waves):
            used = distinct(asked[row].content for row in wave)
            later = distinct(asked[row].content for rest in waves[number + 1 :] for row in rest)
            with self.tiers.hold(used.values(), later) as slots:
                said = Wave([asked[row] for row in wave], renumbered(on_piece, wave), should_stop)
                made, read = self.generator.run(said, slots)
            outcomes.update(zip(wave, made, strict=True))
            prompted += read
        return outcomes, prompted


def failed(error: BatosError, tokens: int = 0) -> Outcome:
    """A row that has come to nothing. The `tokens` that it has cost count; what it has said is no text."""
    text = Generated(text="", tokens=tokens, finish="failed", reason=error.message, code=error.code, hint=error.hint)
    return Outcome(text, error)


def _raise_if_all_failed(outcomes: Mapping[int, Outcome], rows: int) -> None:
    errors = {number: outcome.error for number, outcome in outcomes.items() if outcome.error is not None}
    if errors and len(errors) == rows:
        raise errors[min(errors)]


def _once(make: Callable[[Row], T], key: Callable[[Row], str]) -> Callable[[Row], T]:
    """`make`, asked once for all rows with the same key: a refusal holds for all of them too."""
    known: dict[str, T | BatosError] = {}

    def made(row: Row) -> T:
        name = key(row)
        if name not in known:
            try:
                known[name] = make(row)
            except BatosError as error:
                known[name] = error
        found = known[name]
        if isinstance(found, BatosError):
            raise found
        return found

    return made
