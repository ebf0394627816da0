"""A model to be measured: ours, with its bank and tiers, and PEFT's over the same weights.

Needs torch, transformers, peft and the model code alone, so that it runs wherever the model does. Times are in seconds.
Whoever decodes here draws the likeliest token and stops at none, so that every row is as long as it was asked to be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from peft import PeftModel
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from actors.inference.decoding.bank import Bank
from actors.inference.decoding.decoding import Job, decode
from actors.inference.decoding.prefixes import Prefixes
from actors.inference.decoding.rules import Spelling
from actors.inference.experts.tiers import Tiers
from actors.inference.model.fusing import fuse
from actors.inference.weights.expert import Content
from actors.inference.weights.placement import lend
from bench.bank.adapters import BASE, Sample

PLENTY: Final = 1 << 36
"""Bytes of memory for experts where memory is not what is measured."""


class Scene(NamedTuple):
    """What is measured: a way to a fresh model, always of the same weights, how it spells, and experts for it."""

    build: Callable[[], Any]
    spelling: Spelling
    rank: int
    samples: Sequence[Sample]


class Stand(NamedTuple):
    """Our way to serve one model. The bank stands around its linears."""

    model: Any
    spelling: Spelling
    bank: Bank
    tiers: Tiers
    prefixes: Prefixes


class Said(NamedTuple):
    """A batch that was decoded: its texts, the seconds of the whole, and when each step began and ended."""

    texts: list[str]
    seconds: float
    steps: list[tuple[float, float]]


def stand(
    scene: Scene, *, slots: int = 4, rank: int | None = None, warm_bytes: int = PLENTY, prefix_bytes: int = 0
) -> Stand:
    """A fresh model with a fresh bank. Nothing that was read is kept unless `prefix_bytes` are given."""
    model = scene.build()
    fuse(model)
    bank = Bank(model, slots=slots, rank=rank or scene.rank)
    return Stand(model, scene.spelling, bank, Tiers(bank, BASE, warm_bytes), Prefixes(model, bank, prefix_bytes))


def say(one: Stand, prompts: Sequence[Sequence[int]], contents: Sequence[Content | None], tokens: int) -> Said:
    """Decode so many `tokens` for each prompt with its expert, in one batch; loading what is not hot counts."""
    jobs = [Job(tuple(prompt), tokens, 0.0, 1.0, 0, None) for prompt in prompts]
    stamps: list[float] = []

    def tick() -> bool:
        stamps.append(time.perf_counter())
        return False

    began = time.perf_counter()
    with one.tiers.hold([content for content in contents if content is not None]) as slots:
        texts, _ = decode(
            one.model,
            one.spelling,
            jobs,
            frozenset(),
            bank=one.bank,
            prefixes=one.prefixes,
            lent=[lend(content, slots, job.prompt) for content, job in zip(contents, jobs, strict=True)],
            on_piece=None,
            should_stop=tick,
        )
    ended = time.perf_counter()
    # It is asked before each step, and before that while the prompts are read.
    starts = stamps[len(stamps) + 1 - tokens :] if tokens > 1 else []
    return Said([text.text for text in texts], ended - began, list(zip(starts, [*starts[1:], ended], strict=False)))


def peer(model: Any, folders: Mapping[str, Path]) -> Any:
    """The fresh `model` as PEFT serves it, with these adapters by name; the first one is active."""
    (name, folder), *rest = folders.items()
    served = PeftModel.from_pretrained(model, str(folder), adapter_name=name, autocast_adapter_dtype=False)
    for other, place in rest:
        served.load_adapter(str(place), adapter_name=other, autocast_adapter_dtype=False)
    return served.eval()


class _Ticks(StoppingCriteria):
    """Stops nothing; notes when each token was there."""

    def __init__(self) -> None:
        self.stamps: list[float] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:  # noqa: ARG002 - its contract
        self.stamps.append(time.perf_counter())
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)


def generate(model: Any, prompts: Sequence[Sequence[int]], tokens: int, names: Sequence[str] | None = None) -> Said:
    """The same by the library's own `generate()`, for prompts of one length; `names` are PEFT's adapters of the rows."""
    ids = torch.tensor([list(prompt) for prompt in prompts], device=model.device)
    ticks = _Ticks()
    more: dict[str, Any] = {} if names is None else {"adapter_names": list(names)}
    began = time.perf_counter()
    with torch.inference_mode():
        model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            generation_config=GenerationConfig(  # type: ignore[no-untyped-call]
                do_sample=False, max_new_tokens=tokens, pad_token_id=0
            ),
            stopping_criteria=StoppingCriteriaList([ticks]),
            **more,
        )
    ended = time.perf_counter()
    return Said([], ended - began, list(zip(ticks.stamps, ticks.stamps[1:], strict=False)))


def prompt(seed: int, length: int, vocabulary: int) -> tuple[int, ...]:
    """So many tokens, drawn by `seed`; the lowest ones, which are special in most vocabularies, are none of them."""
    luck = torch.Generator().manual_seed(seed)
    return tuple(torch.randint(min(64, vocabulary // 2), vocabulary, (length,), generator=luck).tolist())


def vocabulary(one: Stand | Any) -> int:
    """How many tokens the model knows."""
    model = one.model if isinstance(one, Stand) else one
    return int(model.config.vocab_size)


def lengths(said: Said) -> list[float]:
    """The seconds of each step."""
    return [end - start for start, end in said.steps]
