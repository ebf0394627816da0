"""The head of a GGUF file, read with distrust before anything else opens the file.

llama.cpp ends its process at some of the files that it cannot use, and the `gguf` package takes half a minute to read one
that it can. Here each length is held against what is left of the file, and of long arrays nothing is kept.

The format is https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any, Final, NamedTuple

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from protocol.errors import BatosError

AGAIN: Final = "Download the file again, or name another one: `model` under [inference] in batos.toml."

_VERSIONS: Final = (2, 3)
_NUMBERS: Final = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING: Final = 8
_ARRAY: Final = 9
_ALIGNMENT: Final = 32
_SHORT: Final = 1024
"""Values of an array that are kept: there is one a layer, and a vocabulary has a hundred times as many words."""
_WHOLE: Final = frozenset({"tokenizer.ggml.tokens", "tokenizer.ggml.token_type"})
"""Long arrays that are kept: prompts are made with them."""
_MOST: Final = 1 << 24
"""Of anything that is counted in a head; the largest vocabularies have a sixtieth."""
_DIMENSIONS: Final = 4


class Header(NamedTuple):
    """`facts` are the metadata without the long arrays; `bytes` those of the tensors."""

    facts: dict[str, Any]
    tensors: int
    bytes: int

    @property
    def architecture(self) -> str:
        return str(self.facts.get("general.architecture", ""))

    def number(self, name: str, default: int = 0) -> int:
        """A number of the architecture, such as `block_count`: the largest where there is one for each layer."""
        found = self.facts.get(f"{self.architecture}.{name}", default)
        numbers = found if isinstance(found, list) else [found]
        return max((int(one) for one in numbers if isinstance(one, int | float)), default=default)


def read_header(path: Path) -> Header:
    """The head of the file; BAD_MODEL where it is none, or where the file ends before the last of its tensors does."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if size < 24:
                raise _bad(path, f"has {size} bytes, and is no GGUF file")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
                return _Reader(path, view, size).header()
    except OSError as error:
        raise BatosError("BAD_MODEL", f"{path} cannot be read: {error.strerror or error}", AGAIN) from error


class _Reader:
    """A place in the file, which moves on by what is read."""

    def __init__(self, path: Path, view: mmap.mmap, size: int) -> None:
        self._path = path
        self._view = view
        self._size = size
        self._at = 0

    def header(self) -> Header:
        if self._take(4) != b"GGUF":
            raise _bad(self._path, "is no GGUF file")
        version = self._number("<I")
        if version not in _VERSIONS:
            raise _bad(self._path, f"is GGUF of version {version}; versions 2 and 3 in little-endian order are read")
        tensors, facts = self._count("<Q"), self._count("<Q")
        kept = dict(self._fact() for _ in range(facts))
        if not kept.get("general.architecture"):
            raise _bad(self._path, "names no architecture (general.architecture)")
        ends = [self._tensor() for _ in range(tensors)]
        alignment = kept.get("general.alignment", _ALIGNMENT)
        if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
            raise _bad(self._path, f"has general.alignment {alignment!r}, which is no power of two")
        begin = -(-self._at // alignment) * alignment
        last = begin + max(ends, default=0)
        if last > self._size:
            raise _bad(self._path, f"ends after {self._size} bytes, and its tensors after {last}: it is cut off")
        return Header(kept, tensors, max(ends, default=0))

    def _take(self, length: int) -> bytes:
        if length > self._size - self._at:
            raise _bad(self._path, "ends within its head: it is cut off")
        self._at += length
        return self._view[self._at - length : self._at]

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _count(self, form: str) -> int:
        number = int(self._number(form))
        if number > _MOST:
            raise _bad(self._path, f"counts {number} things in its head, which cannot be")
        return number

    def _string(self) -> str:
        return self._take(self._number("<Q")).decode(errors="replace")

    def _fact(self) -> tuple[str, Any]:
        name = self._string()
        return name, self._value(self._number("<I"), name)

    def _value(self, kind: int, name: str = "") -> Any:
        if kind in _NUMBERS:
            return self._number(_NUMBERS[kind])
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            return self._array(self._number("<I"), self._count("<Q"), is_kept=name in _WHOLE)
        raise _bad(self._path, f"has a value of the type {kind}, which GGUF does not know")

    def _array(self, kind: int, length: int, *, is_kept: bool) -> Any:
        """What is short or wanted; of another array None, once it is passed."""
        if kind == _ARRAY:
            raise _bad(self._path, "has arrays within arrays, which no model has")
        if is_kept or length <= _SHORT:
            return [self._value(kind) for _ in range(length)]
        if kind in _NUMBERS:
            self._take(length * struct.calcsize(_NUMBERS[kind]))
        else:
            for _ in range(length):
                self._pass_string()
        return None

    def _pass_string(self) -> None:
        # Whatever else there may be is no type of a long array.
        self._take(self._number("<Q"))

    def _tensor(self) -> int:
        """Where the tensor ends, from where the tensors begin."""
        name, dimensions = self._string(), self._number("<I")
        if not 0 < dimensions <= _DIMENSIONS:
            raise _bad(self._path, f"has a tensor {name[:100]!r} of {dimensions} dimensions")
        numbers = 1
        for _ in range(dimensions):
            numbers *= int(self._number("<Q"))
        kind, offset = self._number("<I"), int(self._number("<Q"))
        try:
            block, width = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
        except ValueError:
            return offset  # a type that is newer than this table: llama.cpp knows its size
        return offset + numbers // block * width


def _bad(path: Path, what: str) -> BatosError:
    return BatosError("BAD_MODEL", f"{path} {what}", AGAIN)
