"""Samples: what is trained on as the model sees it, tokens, and which of them are learned; and their order.

A conversation is put into tokens piece by piece: the prompt up to an assistant's turn, then the turn with the token
that ends it. So a learned text begins behind the same tokens as a generated one. What follows that last token is the
template's own and is not learned. The order of an epoch follows from the seed and its number alone, so that there is no
state of a random generator to keep.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import torch

from actors.inference.prompts import Prompts
from actors.inference.training.dataset import Dialogue
from protocol.errors import BatosError


class Sample(NamedTuple):
    """A sequence of tokens, and for each of them whether the loss counts it; the first never is."""

    tokens: tuple[int, ...]
    learned: tuple[bool, ...]


class Samples(NamedTuple):
    """All samples of a training in two parts. `truncated` counts the rows that were longer than a sample may be."""

    trained: list[Sample]
    held_out: list[Sample]
    truncated: int

    def digest(self) -> str:
        """The same for the same tokens in the same order."""
        return hashlib.sha256(msgspec.json.encode([self.trained, self.held_out])).hexdigest()


def from_text(tokenizer: Any, text: str, length: int) -> list[Sample]:
    """The text in windows of at most `length` tokens, without overlap; BAD_DOCUMENT where it has no second token."""
    tokens = Prompts(tokenizer, tokenizer.backend_tokenizer.to_str()).plain(text)
    windows = [tuple(tokens[start : start + length]) for start in range(0, len(tokens), length)]
    samples = [Sample(window, (False, *(True,) * (len(window) - 1))) for window in windows if len(window) > 1]
    if not samples:
        raise BatosError("BAD_DOCUMENT", "the text has a single token, and nothing to learn", "Give a longer text.")
    return samples


def from_dialogues(
    tokenizer: Any, dialogues: Sequence[Dialogue], length: int, stop: Sequence[int]
) -> tuple[list[Sample], int]:
    """A sample a conversation, cut after `length` tokens, and how many were cut; `stop`: the tokens that end a turn.

    BAD_DOCUMENT, with the line, where the template refuses the turns, or the cut leaves nothing to learn.
    """
    prompts = Prompts(tokenizer, tokenizer.backend_tokenizer.to_str())
    samples, truncated = [], 0
    for dialogue in dialogues:
        tokens: list[int] = []
        learned: list[bool] = []
        for piece, counts in _pieces(tokenizer, prompts, dialogue):
            ends = max((place + 1 for place, token in enumerate(piece) if token in stop), default=len(piece))
            tokens += piece
            learned += [counts and place < ends for place in range(len(piece))]
        if len(tokens) > length:
            truncated += 1
            tokens, learned = tokens[:length], learned[:length]
        if not any(learned[1:]):
            raise BatosError(
                "BAD_DOCUMENT",
                f"line {dialogue.line} has nothing to learn within {length} tokens, so long is its prompt",
                "Shorten the prompt, or leave the row out.",
                line=dialogue.line,
            )
        samples.append(Sample(tuple(tokens), (False, *learned[1:])))
    return samples, truncated


def split(samples: Sequence[Sample], seed: int) -> tuple[list[Sample], list[Sample]]:
    """A tenth of the samples, drawn by the seed, is held out: none of a single one, else at least one."""
    if len(samples) < 2:
        return list(samples), []
    order = _permutation(len(samples), seed, 0)
    held = set(order[: max(1, len(samples) // 10)])
    rest = [sample for place, sample in enumerate(samples) if place not in held]
    return rest, [samples[place] for place in sorted(held)]


def batches(samples: Sequence[Sample], tokens: int, seed: int, epoch: int) -> list[list[Sample]]:
    """The samples of one epoch in its order, in batches of at most `tokens` with their padding, and one sample at least."""
    made: list[list[Sample]] = []
    longest = 0
    for place in _permutation(len(samples), seed, epoch + 1):
        sample = samples[place]
        longest = max(longest, len(sample.tokens))
        if made and longest * (len(made[-1]) + 1) <= tokens:
            made[-1].append(sample)
        else:
            made.append([sample])
            longest = len(sample.tokens)
    return made


def _permutation(count: int, seed: int, number: int) -> list[int]:
    generator = torch.Generator().manual_seed((seed << 20) + number)
    order: list[int] = torch.randperm(count, generator=generator).tolist()
    return order


def _pieces(tokenizer: Any, prompts: Prompts, dialogue: Dialogue) -> Iterator[tuple[tuple[int, ...], bool]]:
    """The conversation's tokens in its template, in pieces, and which of them are the assistant's."""
    hidden = prompts.hide(dialogue.turns)
    turns: list[Any] = [{"role": turn.role, "content": turn.content} for turn in hidden.turns]
    done = ""
    for number, turn in enumerate(turns):
        if turn["role"] != "assistant":
            continue
        try:
            prompt = tokenizer.apply_chat_template(turns[:number], tokenize=False, add_generation_prompt=True)
            whole = tokenizer.apply_chat_template(turns[: number + 1], tokenize=False)
        except Exception as error:  # a template is a program of the model's, and raises as it likes
            raise BatosError(
                "BAD_DOCUMENT",
                f"line {dialogue.line}: the model's chat template refuses these turns: {error}",
                "Begin with the system or the user, and let user and assistant take turns.",
                line=dialogue.line,
            ) from error
        if not prompt.startswith(done) or not whole.startswith(prompt):
            raise BatosError(
                "BAD_DOCUMENT",
                f"line {dialogue.line}: the model's chat template writes earlier turns anew",
                "Make a row of each answer.",
                line=dialogue.line,
            )
        signs = sum(turn["content"].count(hidden.mark) for turn in turns[: number + 1])
        if whole.count(hidden.mark) != signs:
            raise BatosError(
                "BAD_DOCUMENT",
                f"line {dialogue.line} spells {hidden.spelt[0]!r}, a token of the model's chat template, which then changes it",
                "Leave it out of the text.",
                line=dialogue.line,
            )
        yield prompts.tokens_of(prompt[len(done) :], hidden, done.count(hidden.mark)), False
        yield prompts.tokens_of(whole[len(prompt) :], hidden, prompt.count(hidden.mark)), True
        done = whole
