"""The generator on this machine's device: the model in this process, and the bank around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from llguidance import LLMatcher

from actors.inference.decoding.bank import Bank
from actors.inference.decoding.decoding import Job, decode
from actors.inference.decoding.pace import Pace
from actors.inference.decoding.prefixes import Prefixes
from actors.inference.decoding.trial import check_rows
from actors.inference.forms.constraints import Vocabulary
from actors.inference.model import room
from actors.inference.model.fusing import fuse
from actors.inference.model.incarnation import Incarnation
from actors.inference.model.mapped import let_go, trim
from actors.inference.model.sources import AGAIN, HINT
from actors.inference.prompts import Prompts
from actors.inference.rows import renumbered
from actors.inference.serving import Asked, Outcome, Serving, Wave, failed
from actors.inference.weights.placement import lend
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.home import Inference
from protocol.messages import MAX_ROWS, Abilities, Generated, Row

_WARM_FORM: Final = 'start: "ok"'
_PACED: Final = "The keeper of the light counts the ships, and writes a letter to his sister every week. " * 3
_PACED_CONTEXT: Final = 1024
"""A model with less is tiny: a batch of it says nothing, and that prompt may not fit."""

_SHORTER: Final = "Ask for less: a shorter prompt, or fewer max_tokens."

LocalAsked = Asked[tuple[int, ...], LLMatcher | None]
LocalWave = Wave[tuple[int, ...], LLMatcher | None]


class LocalGenerator:
    """Decodes the rows of a wave together, step by step."""

    def __init__(self, incarnation: Incarnation, settings: Inference) -> None:
        self.model = incarnation.model
        self.tokenizer = incarnation.tokenizer
        self.prompts = Prompts(self.tokenizer, incarnation.tokenizer_json)
        self.vocabulary_size = words_of(incarnation)
        self.vocabulary = Vocabulary(incarnation.tokenizer_json, self.vocabulary_size, incarnation.stop)
        self.context = incarnation.context
        self._stop = frozenset(incarnation.stop)
        fuse(incarnation.model)
        let_go(incarnation.mapped)
        trim()
        self.bank = Bank(incarnation.model, slots=settings.slots, rank=settings.rank, dtype=incarnation.dtype)
        self.prefixes = Prefixes(incarnation.model, self.bank, settings.prefix_bytes or None)
        self.pace = Pace()
        self.token_bytes = kept_of_a_token(incarnation.model)
        self.abilities = Abilities(
            grammar="native",
            schema="native",
            token_ids=True,
            likelihood="native",
            seeds=True,
            texts=MAX_ROWS,
            context=self.context,
            lora="native",
        )

    def accepts(self, invocation: Sequence[int]) -> None:
        """BAD_EXPERT for an expert that begins within a prompt, where the model cannot read one in parts."""
        if invocation and not self.prefixes.divides:
            raise BatosError(
                "BAD_EXPERT",
                "the adapter has alora_invocation_tokens, and this base model cannot read a prompt in parts",
                "Experts for this model are plain LoRA. Train it without invocation tokens.",
            )

    def prompt(self, row: Row) -> tuple[int, ...]:
        """The tokens of a prompt that leaves room for one more; TOO_LARGE where it does not."""
        # No text has fewer tokens than this; so one that is far too long is not cut into them.
        least = max(map(len, (row.prompt, *(turn.content for turn in row.turns)))) // self.prompts.longest
        prompt = () if least >= self.context else self.prompts.tokens(row)
        length = max(least, len(prompt))
        if length >= self.context:
            raise BatosError(
                "TOO_LARGE",
                f"a prompt of {length} tokens does not fit the model's context of {self.context}",
                "Send a shorter prompt.",
                tokens=length,
                context=self.context,
            )
        return prompt

    def form(self, row: Row) -> LLMatcher | None:
        """A fresh matcher for the row's form, None for free text."""
        return self.vocabulary.compile(row.schema, row.grammar)

    def run(self, wave: LocalWave, slots: Mapping[str, int]) -> tuple[list[Outcome], int]:
        """All rows in one batch, step by step; in several where there is no memory for the keys and values of all."""
        outcomes: dict[int, Outcome] = {}
        computed = 0
        for part in self._parts(wave.rows, outcomes):
            said = Wave([wave.rows[row] for row in part], renumbered(wave.on_piece, part), wave.should_stop)
            made, read = self._decode(said, slots)
            outcomes.update(zip(part, made, strict=True))
            computed += read
        return [outcomes[row] for row in range(len(wave.rows))], computed

    def _decode(self, wave: LocalWave, slots: Mapping[str, int]) -> tuple[list[Outcome], int]:
        texts, computed = decode(
            self.model,
            self.vocabulary,
            [self._job(asked) for asked in wave.rows],
            self._stop,
            bank=self.bank,
            prefixes=self.prefixes,
            lent=[lend(asked.content, slots, asked.prompt) for asked in wave.rows],
            on_piece=wave.on_piece,
            should_stop=wave.should_stop,
            pace=self.pace,
        )
        return [Outcome(Generated(**text._asdict())) for text in texts], computed

    def _parts(self, rows: Sequence[LocalAsked], outcomes: dict[int, Outcome]) -> list[list[int]]:
        """The rows, by number, in as few batches as memory allows; the outcome of one that does not fit alone is told."""
        left = room.spared(room.free(self.bank.device) + self.prefixes.bytes)
        parts: list[list[int]] = []
        width = 0
        for number, asked in enumerate(rows):
            length = len(asked.prompt) + self._job(asked).limit
            try:
                room.check(length * self.token_bytes, left, f"a text of {length} tokens", _SHORTER)
            except BatosError as error:
                outcomes[number] = failed(error)
                continue
            width = max(width, length)
            if parts and (len(parts[-1]) + 1) * width * self.token_bytes <= left:
                parts[-1].append(number)
            else:
                parts.append([number])
                width = length
        return parts

    def check(self) -> None:
        """BAD_MODEL where rows would not be told what the model says to each alone."""
        check_rows(self.model, self.bank, self.prefixes, self.tokenizer, self.context)

    def stats(self) -> dict[str, Value]:
        return {
            "device": str(self.bank.device),
            "dtype": str(self.model.dtype).removeprefix("torch."),
            "context": self.context,
            "bank": {"slots": self.bank.slots, "rank": self.bank.rank, "slot_bytes": self.bank.slot_bytes},
            "prefix_bytes": self.prefixes.bytes,
            "prefix_limit": self.prefixes.limit,
            "free_bytes": room.free(self.bank.device),
        }

    def _job(self, asked: LocalAsked) -> Job:
        row = asked.row
        return Job(
            prompt=asked.prompt,
            limit=min(row.max_tokens, self.context - len(asked.prompt)),
            temperature=row.sampling.temperature,
            top_p=row.sampling.top_p,
            seed=row.seed,
            constraint=None if asked.form is None else self.vocabulary.constrain(asked.form),
            scored=row.scored,
        )


def serve(incarnation: Incarnation, settings: Inference, base_model: str) -> Serving[LocalGenerator]:
    """The incarnation as the settings say it; `base_model` is its digest."""
    return Serving(LocalGenerator(incarnation, settings), base_model, settings.warm_bytes)


def warm(serving: Serving[LocalGenerator]) -> None:
    """Touch every weight and every first-time cost before somebody waits for it, and measure how fast it is."""
    _touch(serving)
    _measure(serving)


def _touch(serving: Serving[LocalGenerator]) -> None:
    free = Row(prompt="a", max_tokens=2)
    serving.generate([free, free, Row(prompt="a", grammar=_WARM_FORM)])


def _measure(serving: Serving[LocalGenerator]) -> None:
    """Once, so that the first deadline need not be guessed: a prompt, four texts, and one of them alone."""
    if serving.generator.context >= _PACED_CONTEXT:
        serving.generate([Row(prompt=_PACED, seed=seed, max_tokens=4 if seed else 8) for seed in range(4)])


def prove(serving: Serving[LocalGenerator]) -> None:
    """Warm, and BAD_MODEL where that fails, or where the model is none to be served in rows."""
    try:
        _touch(serving)
    except BatosError as error:
        if error.code == "OUT_OF_MEMORY":
            raise
        raise BatosError("BAD_MODEL", f"the model cannot be served: {error.message}", HINT) from error
    serving.generator.check()
    _measure(serving)


def kept_of_a_token(model: Any) -> int:
    """Bytes of the keys and values of one token: as many as an attention of full width has in each layer, which is the most.

    0 for a model without attention: it keeps a state, which does not grow with the text.
    """
    config = model.config.get_text_config()
    layers, heads = config.num_hidden_layers, getattr(config, "num_attention_heads", 0)
    if not heads:
        return 0
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    told = getattr(config, "num_key_value_heads", None) or heads
    return int(2 * layers * told * width * model.dtype.itemsize)


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
