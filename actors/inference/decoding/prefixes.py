"""What the model has read before: keys and values of the beginnings of prompts, kept by content.

A prompt is read in blocks, each in a pass of its own; only its end, a block at most, is read together with those of the
other rows. So what a block leaves behind follows from its expert and the tokens up to its end, never from its
neighbours or from what was kept: a prefix that is used again is the same, bit for bit, as one that is read again.

An expert's prefix is of no use to another: it is kept by the tokens and, from where it begins, its sha256; the base model's by the
tokens alone. What comes before an aLoRA expert begins is the base model's, and kept as such, for it and for all others. The
block in which it begins is cut in two there, and its own blocks are counted from there.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from actors.inference.decoding.bank import Bank
from actors.inference.model.room import free, prefix_budget
from actors.inference.weights.placement import Lent

BLOCK: Final = {"cpu": 64, "cuda": 256}
"""Tokens in a block. A device that is fast enough to be idle between two passes is given more at once."""

_OWN_WINDOW: Final = re.compile(r"(?<!sliding_)window(_size|_len)?$")
"""How configurations call a window that the model's own code cuts out; the cache's layers know of `sliding_window` alone."""

Layers = list[tuple[torch.Tensor, torch.Tensor]]
"""For each layer its keys and values, [1, heads, tokens, width] each; no layer where there are no tokens."""


class Prefix(NamedTuple):
    """The beginning of a prompt as the model remembers it: `length` tokens, of which `computed` had to be read for it."""

    length: int
    computed: int
    layers: Layers


class Prefixes:
    """The blocks that one model has read. Not for two threads at once.

    At most `budget` bytes of them; None: a share of what is free on the device, which is looked up each time that something is
    to be kept. So they give way where others take memory.
    """

    def __init__(self, model: Any, bank: Bank, budget: int | None) -> None:
        self._model = model
        self._bank = bank
        self._budget = budget
        self.block = BLOCK["cuda" if bank.device.type == "cuda" else "cpu"]
        self._kept: OrderedDict[bytes, Layers] = OrderedDict()
        self.bytes = 0
        # Between the blocks of a row and its end there are columns of other rows' prompts, so positions have to be told.
        takes = inspect.signature(type(model).forward).parameters
        self.memory = "cache_params" if "cache_params" in takes else "past_key_values"
        """What the model calls what it remembers; by another name it would be given nothing, and say nothing of it."""
        self.divides = "position_ids" in takes and _looks_back(model, self._cache())

    @property
    def limit(self) -> int:
        """Bytes that may be kept now."""
        if self._budget is not None:
            return self._budget
        return prefix_budget(free(self._bank.device) + self.bytes)

    def read(self, lent: Lent | None, tokens: Sequence[int], should_stop: Callable[[], bool]) -> Prefix:
        """All blocks of a prompt but its end. When `should_stop` says yes, what has been read by then.

        The bank is left serving one row.
        """
        begin = 0 if lent is None else lent.begin
        known: list[Layers] = []
        length = computed = 0
        digest = hashlib.sha256()
        used: list[bytes] = []
        for start, end in pairwise(self._cuts(begin, len(tokens))):
            reader = lent if start >= begin else None
            if lent is not None and start == begin:
                digest.update(lent.sha256.encode())
            block = tokens[start:end]
            digest.update(torch.tensor(block).numpy().tobytes())
            key = digest.digest()
            found = self._kept.get(key)
            if found is None:
                if should_stop():
                    break
                found = self._compute(known, block, reader)
                computed += len(block)
                self._keep(key, found)
            known.append(found)
            used.append(key)
            length = end
        for key in reversed(used):
            # What others build upon is the last to go.
            if key in self._kept:
                self._kept.move_to_end(key)
        return Prefix(length, computed, self._joined(known))

    def spread(self, prefixes: Sequence[Prefix]) -> tuple[DynamicCache, int]:
        """A cache with a row for each prefix, each at the right end of as many columns as the longest has; and their number."""
        cache = self._cache()
        width = max(prefix.length for prefix in prefixes)
        longest = next(prefix for prefix in prefixes if prefix.length == width)
        for number, layer in enumerate(longest.layers):
            spread = [one.new_zeros(len(prefixes), *one.shape[1:]) for one in layer]
            for row, prefix in enumerate(prefixes):
                if prefix.length:
                    for kind, one in enumerate(spread):
                        one[row, :, width - prefix.length :] = prefix.layers[number][kind][0]
            cache.update(spread[0], spread[1], number)
        return cache, width

    def _cache(self) -> DynamicCache:
        return DynamicCache(config=self._model.config)

    def _cuts(self, begin: int, length: int) -> list[int]:
        """Where blocks begin and end, for an expert that begins at `begin` in a prompt of `length` tokens.

        After the last cut is the prompt's end, which holds one token at least: the next one is drawn from what it leaves.
        """
        if not self.divides:
            if begin:
                raise RuntimeError("an expert begins within a prompt that cannot be divided")
            return [0]
        return [*range(0, begin, self.block), *range(begin, length, self.block)]

    def _joined(self, known: Sequence[Layers]) -> Layers:
        return [
            (torch.cat([one[0] for one in layer], dim=-2), torch.cat([one[1] for one in layer], dim=-2))
            for layer in zip(*known, strict=True)
        ]

    def _compute(self, known: Sequence[Layers], block: Sequence[int], lent: Lent | None) -> Layers:
        cache: Any = self._cache()
        for number, (keys, values) in enumerate(self._joined(known)):
            cache.update(keys, values, number)
        self._bank.serve(() if lent is None else (lent.slot,))
        ids = torch.tensor([list(block)], device=self._bank.device)
        self._model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        end = slice(-len(block), None)
        return [(layer.keys[:, :, end].clone(), layer.values[:, :, end].clone()) for layer in cache.layers]

    def _keep(self, key: bytes, layers: Layers) -> None:
        size = sum(keys.nbytes + values.nbytes for keys, values in layers)
        limit = self.limit
        if size > limit:
            return
        self._kept[key] = layers
        self.bytes += size
        while self.bytes > limit:
            _, gone = self._kept.popitem(last=False)
            self.bytes -= sum(keys.nbytes + values.nbytes for keys, values in gone)


def _looks_back(model: Any, cache: DynamicCache) -> bool:
    """Whether every layer looks as far back as it likes.

    One that forgets what is far behind, or whose state has read all that came before it, cannot be put together from blocks.
    """
    windows = [name for name, size in vars(model.config.get_text_config()).items() if size and _OWN_WINDOW.search(name)]
    return not windows and all(type(layer) is DynamicLayer for layer in cache.layers)
