"""transformers reads a GGUF file, and this house reads it for transformers: once, and without what nobody asks for.

transformers maps a file's values to a configuration and its tensors to a model's weights, for each architecture in its own
way; that is its work, and stays so. But gguf's reader, which it uses, makes an array of every word of the vocabulary, each time
that a configuration is looked for; gguf's table of names is made anew for each module of the model; and its function that
dequantizes goes over all of a tensor in each of its passes. While `quickly` lasts, transformers finds in that package a reader
that has the header already, a table that is made once, and a function that dequantizes piece by piece, a piece being as large
as a processor's cache. The numbers are the same, bit for bit.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import gguf
import numpy as np
import torch
from gguf.quants import quant_shape_to_byte_shape
from numpy.typing import NDArray
from transformers.integrations.ggml import GGUF_CONFIG_MAPPING
from transformers.integrations.gguf.dequant import GGML_BLOCK
from transformers.integrations.gguf.dequant import dequantize as dequantized

from actors.inference.model.gguf.header import GgufHeader, GgufTensor, Length

OnTensor = Callable[[int, int], None]
"""Told how many of how many bytes of weights have been read."""

_PIECE: Final = 1 << 18
"""Numbers that are dequantized at once."""
_TYPES: Final[dict[type, int]] = {bool: 7, int: 11, float: 12, str: 8}
"""The format's number for what a value is; which width an integer had there makes no difference any more."""
_PLAIN: Final[dict[str, type]] = {"F16": np.float16, "F32": np.float32, "F64": np.float64}
_WORDS: Final = "tokenizer.ggml.tokens"


class _Field(NamedTuple):
    """A value as gguf's reader gives it: what `data` names among the `parts`, read by the `types`."""

    parts: list[Any]
    data: list[int]
    types: list[Any]


class _Tensor:
    """A tensor as gguf's reader gives it; its bytes are looked at when they are asked for."""

    def __init__(self, held: GgufTensor, blob: NDArray[np.uint8], on_read: Callable[[int], None]) -> None:
        self.name = held.name
        self.shape = np.array(held.shape[::-1])
        self.tensor_type = gguf.GGMLQuantizationType[held.kind]
        self._held = held
        self._blob = blob
        self._on_read = on_read

    @property
    def data(self) -> NDArray[Any]:
        held = self._held
        self._on_read(held.bytes)
        raw = self._blob[held.offset : held.offset + held.bytes]
        plain = _PLAIN.get(held.kind)
        if plain is not None:
            return raw.view(plain).reshape(held.shape)
        return raw.reshape(quant_shape_to_byte_shape(held.shape, self.tensor_type))


class _Reader:
    """What transformers asks of gguf's reader."""

    def __init__(self, header: GgufHeader, on_tensor: OnTensor) -> None:
        values = {name: value for name, value in header.values.items() if not isinstance(value, Length)}
        # A configuration wants of all words to know how many they are.
        words, size = header.values.get(_WORDS), f"{header.architecture}.vocab_size"
        mapped: Any = GGUF_CONFIG_MAPPING
        if isinstance(words, Length) and "vocab_size" in mapped.get(header.architecture, {}):
            values.setdefault(size, int(words))
        self.fields = {name: _field(value) for name, value in values.items()}
        total = sum(tensor.bytes for tensor in header.tensors)
        read = 0

        def on_read(count: int) -> None:
            nonlocal read
            on_tensor(read, total)
            read += count

        blob = np.memmap(header.parts[0], mode="r", dtype=np.uint8).view(np.ndarray)
        self.tensors = [_Tensor(tensor, blob, on_read) for tensor in header.tensors]


def _field(value: Any) -> _Field:
    values = value if isinstance(value, list) else [value]
    kind = _TYPES[type(values[0])] if values else 11
    parts = [one.encode() if isinstance(one, str) else (one,) for one in values]
    return _Field(parts, list(range(len(parts))), [9, kind] if isinstance(value, list) else [kind])


@contextmanager
def quickly(header: GgufHeader, on_tensor: OnTensor = lambda *_: None) -> Iterator[None]:
    """Have transformers read the file of `header`, and no other, from what is known of it, within the block.

    Not for two threads at once: what it finds in the package is changed for all.
    """
    package: Any = gguf
    ours = {
        "GGUFReader": lambda _: _Reader(header, on_tensor),
        "dequantize": dequantize,
        "get_tensor_name_map": functools.cache(gguf.get_tensor_name_map),
    }
    before = {name: getattr(package, name) for name in ours}
    for name, mine in ours.items():
        setattr(package, name, mine)
    try:
        yield
    finally:
        for name, theirs in before.items():
            setattr(package, name, theirs)


_as_it_came: Final = gguf.dequantize


def dequantize(data: NDArray[Any], kind: gguf.GGMLQuantizationType) -> NDArray[np.float32]:
    """The numbers that a tensor's bytes [..., bytes of a row] stand for, as gguf's own function says them."""
    if kind.value not in GGML_BLOCK:
        plain: NDArray[np.float32] = _as_it_came(data, kind)
        return plain
    numbers, size = GGML_BLOCK[kind.value]
    # What is mapped may not be written to, and torch would warn that it could.
    source = np.ascontiguousarray(data).reshape(-1)
    blocks = source.size // size
    made = torch.empty(blocks * numbers, dtype=torch.float32)
    step = _PIECE // numbers
    for first in range(0, blocks, step):
        piece = torch.from_numpy(source[first * size : (first + step) * size].copy())
        values = dequantized(piece, kind.value)
        made[first * numbers : first * numbers + values.numel()] = values
    return made.numpy().reshape(_shape(data.shape, numbers, size))


def _shape(held: Sequence[int], numbers: int, size: int) -> tuple[int, ...]:
    return (*held[:-1], held[-1] // size * numbers)
