"""The decoding loop: many rows, one step at a time, each row by its own rules.

Rows that share a prompt and an expert share its prefill, whatever their number; what was read before is not read again
(`prefixes`). After it every row takes a token a step: one that
its form forces, or one drawn by its own sampling and seed. A row that is done leaves the batch at once, so that the
last step of a long row costs a batch of one. Nothing is drawn for a row before its turn, and nothing depends on time,
so the same batch gives the same texts again.
"""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import torch

from actors.inference.decoding.bank import Bank
from actors.inference.decoding.pace import Pace
from actors.inference.decoding.prefixes import Prefixes
from actors.inference.decoding.rules import DeadEndError, Rule, Spelling
from actors.inference.decoding.sampling import BadLogitsError, Floats, draw, likelihood, stream
from actors.inference.weights.placement import Lent

OnPiece = Callable[[int, str], None]
ShouldStop = Callable[[], bool]
Finish = Literal["stop", "length", "stuck", "failed"]

_BLIND: Final = 1
"""Masked columns before the end of every prompt. A mask that hides nothing is dropped by transformers, which then takes sdpa's
grouped-query path: on a CPU that takes twice as long a step at 16 rows."""


class Job(NamedTuple):
    """One row to decode: the tokens before it, the most it may have, how it draws, the form it must keep.

    `scored`: how likely it was is wanted.
    """

    prompt: tuple[int, ...]
    limit: int
    temperature: float
    top_p: float
    seed: int
    constraint: Rule | None
    scored: bool = False


class Text(NamedTuple):
    """One row's outcome. `tokens` counts the forced ones too; `reason` says why it is stuck or has failed.

    `logprob` is the sum over what was drawn, the end too, among what the form allowed; None for a row that is not scored.
    """

    text: str
    tokens: int
    finish: Finish
    reason: str = ""
    logprob: float | None = None


class _Row:
    """A job under way: its tokens so far, and how many of them the model has read (`read`)."""

    def __init__(self, number: int, job: Job, lent: Lent | None, stop: frozenset[int], spelling: Spelling) -> None:
        self.number = number
        self.job = job
        self.slot = None if lent is None else lent.slot
        self.tokens: list[int] = []
        self.finish: Finish | None = None
        self.reason = ""
        self.logprob = 0.0 if job.scored else None
        self._stop = stop
        self._spelling = spelling
        self._luck = stream(job.seed)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._said = 0
        self.text = ""
        try:
            self._take_forced()
        except DeadEndError as error:
            self._end("stuck", str(error))
        self.read = len(self.tokens)
        self.start = (lent, (*job.prompt, *self.tokens))

    def advance(self, logits: Floats, room: Floats) -> None:
        """Draw the next token, unless one is waiting that the model has not read. What is in `room` is lost."""
        if self.finish is not None or self.read < len(self.tokens):
            return
        constraint = self.job.constraint
        try:
            # What has overflowed within becomes nothing at the last norm, whose square of it is infinite: then no token is
            # likelier than another.
            if logits.size > 1 and logits.min() == logits.max():
                raise BadLogitsError  # noqa: TRY301 - as `draw` does
            allowed = None if constraint is None else constraint.allowed()
            token = draw(logits, allowed, self.job.temperature, self.job.top_p, self._luck)
            if self.logprob is not None:
                self.logprob += likelihood(logits, allowed, token, room)
            if token in self._stop:
                self.finish = "stop"
                return
            self.tokens.append(token)
            if constraint is not None:
                constraint.take(token)
            self._take_forced()
        # One row has come to its end; the others go on.
        except DeadEndError as error:
            self._end("stuck", str(error))
        except BadLogitsError:
            self._end("failed", "the model's numbers are not finite here: its weights, or its expert's, are too large")

    def say(self) -> str:
        """What the text has grown by since the last call; a character cut in half waits for its rest."""
        fresh = self.tokens[self._said :]
        self._said = len(self.tokens)
        piece = self._decoder.decode(self._spelling.decode(fresh), final=self.finish is not None)
        self.text += piece
        return piece

    def _end(self, finish: Finish, reason: str) -> None:
        self.finish = finish
        self.reason = reason

    def _take_forced(self) -> None:
        constraint = self.job.constraint
        if constraint is not None:
            self.tokens += constraint.forced()
            if constraint.complete:
                self.finish = "stop"
        if len(self.tokens) > self.job.limit or (len(self.tokens) == self.job.limit and self.finish is None):
            del self.tokens[self.job.limit :]
            self.finish = "length"


def decode(
    model: Any,
    spelling: Spelling,
    jobs: Sequence[Job],
    stop: frozenset[int],
    *,
    bank: Bank,
    prefixes: Prefixes,
    lent: Sequence[Lent | None],
    on_piece: OnPiece | None,
    should_stop: ShouldStop,
    pace: Pace | None = None,
) -> tuple[list[Text], int]:
    """Decode all jobs in one batch; the texts in order, and the number of prompt tokens that were computed.

    `lent` says where the `bank` around the model has each job's expert, None for the base model.
    `should_stop` is asked before each step; when it says yes, rows under way end with finish `length`. `pace` is told how
    fast it went.
    """
    pace = pace or Pace()
    rows = [
        _Row(number, job, expert, stop, spelling) for number, (job, expert) in enumerate(zip(jobs, lent, strict=True))
    ]
    computed = 0
    try:
        with torch.inference_mode():
            # In the order of their slots they are the fewest runs for the bank.
            active = sorted(
                (row for row in rows if row.finish is None), key=lambda row: -1 if row.slot is None else row.slot
            )
            if active and not should_stop():
                began = time.perf_counter()
                batch = _Batch(model, bank, prefixes, active, should_stop)
                computed = batch.computed
                if not batch.stopped:
                    pace.has_read(computed, time.perf_counter() - began)
                    _write(batch, on_piece, should_stop, pace)
    finally:
        # Whatever happened here, the next batch starts from the base model.
        bank.serve(())
    for row in rows:
        row.finish = row.finish or "length"
        _tell(row, on_piece)
    return [Text(row.text, len(row.tokens), row.finish or "length", row.reason, row.logprob) for row in rows], computed


def _write(batch: _Batch, on_piece: OnPiece | None, should_stop: ShouldStop, pace: Pace) -> None:
    """Step by step, until every row of the batch has ended, or it is time to stop."""
    written: dict[bool, list[float]] = {
        True: [0, 0, 0],
        False: [0, 0, 0],
    }  # of steps with a single row, and with several
    room = np.empty(batch.logits.shape[-1], dtype=np.float32)
    began = time.perf_counter()
    while True:
        for row, logits in zip(batch.rows, batch.logits, strict=True):
            row.advance(logits, room)
            _tell(row, on_piece)
        batch.keep([place for place, row in enumerate(batch.rows) if row.finish is None])
        if not batch.rows or should_stop():
            break
        batch.step()
        ended = time.perf_counter()
        so_far = written[len(batch.rows) == 1]
        so_far[0] += 1
        so_far[1] += len(batch.rows)
        so_far[2] += ended - began
        began = ended
    for steps, tokens, seconds in written.values():
        pace.has_written(int(steps), int(tokens), seconds)


def heard(
    model: Any, bank: Bank, prefixes: Prefixes, texts: Sequence[tuple[Sequence[int], Sequence[int]]]
) -> list[Floats]:
    """What the base model says in one batch after each prompt and each token given after it, [tokens + 1, words] a text.

    `texts` are prompts and as many given tokens each.
    """
    jobs = [Job(tuple(prompt), len(given) + 1, 0.0, 1.0, 0, None) for prompt, given in texts]
    rows = [_Row(number, job, None, frozenset(), _Silent()) for number, job in enumerate(jobs)]
    try:
        with torch.inference_mode():
            batch = _Batch(model, bank, prefixes, rows, lambda: False)
            said = [batch.logits]
            for step in zip(*(given for _, given in texts), strict=True):
                for row, token in zip(rows, step, strict=True):
                    row.tokens.append(token)
                batch.step()
                said.append(batch.logits)
    finally:
        bank.serve(())
    return list(np.stack(said, axis=1))


class _Silent:
    """The spelling of rows of which nobody reads the text."""

    def decode(self, _tokens: Sequence[int]) -> bytes:
        return b""


def _tell(row: _Row, on_piece: OnPiece | None) -> None:
    piece = row.say()
    if piece and on_piece is not None:
        on_piece(row.number, piece)


class _Batch:
    """The rows under way, what the model remembers of them, and its last logits."""

    def __init__(self, model: Any, bank: Bank, prefixes: Prefixes, rows: list[_Row], should_stop: ShouldStop) -> None:
        """Prefill: each distinct start once, its end left-padded beside the others', then spread over the rows that share it.

        A start is an expert, from where on it reads, and tokens: what one expert has read, another cannot remember.
        Wherever an expert begins, it reads the whole end of its prompt; what is before that is a block's, or several'.
        """
        self._model = model
        self._bank = bank
        self._device = bank.device
        self.rows = rows
        self.logits: Floats = np.empty((0, 0), dtype=np.float32)
        starts = list(dict.fromkeys(row.start for row in rows))
        known = [prefixes.read(lent, tokens, should_stop) for lent, tokens in starts]
        self.computed = sum(prefix.computed for prefix in known)
        self.stopped = should_stop()
        if self.stopped:
            return
        ends = [tokens[prefix.length :] for prefix, (_, tokens) in zip(known, starts, strict=True)]
        self.computed += sum(map(len, ends))
        self._memory = prefixes.memory
        cache, before = prefixes.spread(known)
        self._cache: Any = cache
        width = _BLIND + max(map(len, ends))
        ids = torch.zeros(len(starts), width, dtype=torch.long)
        mask = torch.zeros(len(starts), before + width, dtype=torch.long)
        for place, (prefix, end) in enumerate(zip(known, ends, strict=True)):
            ids[place, width - len(end) :] = torch.tensor(end)
            mask[place, before + width - len(end) :] = 1
            mask[place, before - prefix.length : before] = 1
        self._mask = mask.to(self._device)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, before:]
        self._looks_back = any(hasattr(layer, "keys") for layer in cache.layers)
        self._forward(ids, positions, [None if lent is None else lent.slot for lent, _ in starts], self._mask)
        self._select([starts.index(row.start) for row in rows])
        self._positions = torch.tensor([len(row.start[1]) for row in rows])

    def keep(self, places: list[int]) -> None:
        """Only the rows at these places go on."""
        if len(places) < len(self.rows):
            self.rows = [self.rows[place] for place in places]
            self._positions = self._positions[places]
            if places:
                self._select(places)

    def step(self) -> None:
        """Let the model read one more token of every row."""
        ids = torch.tensor([[row.tokens[row.read]] for row in self.rows])
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(self.rows), 1)], dim=1)
        # A model that looks back at nothing, and has a state alone, takes a mask for that of the tokens it reads.
        mask = self._mask if self._looks_back else None
        self._forward(ids, self._positions[:, None], [row.slot for row in self.rows], mask)
        self._positions += 1
        for row in self.rows:
            row.read += 1

    def _forward(
        self, ids: torch.Tensor, positions: torch.Tensor, slots: Sequence[int | None], mask: torch.Tensor | None
    ) -> None:
        """One pass of the model over `ids`, whose rows use these slots."""
        self._bank.serve(slots)
        output = self._model(
            input_ids=ids.to(self._device),
            attention_mask=mask,
            position_ids=positions.to(self._device),
            use_cache=True,
            logits_to_keep=1,
            **{self._memory: self._cache},
        )
        self.logits = output.logits[:, -1].float().cpu().numpy()

    def _select(self, places: list[int]) -> None:
        index = torch.tensor(places, device=self._device)
        # By this name every kind of layer takes rows along, those that keep a state instead of keys and values too.
        self._cache.reorder_cache(index)
        self._mask = self._mask[index]
        self.logits = self.logits[places]
