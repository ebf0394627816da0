"""What a GGUF file says of itself, read with distrust and without its weights: its values, and where each of its tensors lies.

llama.cpp ends its process at some of the files that it cannot use, and the `gguf` package takes half a minute to read one
that it can. Here each length is held against what is left of the file. A vocabulary has hundreds of thousands of words: of a
long list the length alone is kept, unless all of it is asked for.

The layout is that of the format's own page (ggml, docs/gguf.md), versions 2 and 3, least significant byte first.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, Final, NamedTuple

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType, LlamaFileType

from protocol.errors import BatosError

MAGIC: Final = b"GGUF"
AGAIN: Final = "Download the file again, or name another one: `batos model use`."
_VERSIONS: Final = frozenset({2, 3})
_NUMBERS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""struct's letter for each type of number, by the format's number for it."""
_TEXT: Final = 8
_LIST: Final = 9
_FEW: Final = 4096
"""A list of more numbers, or of texts, is told by its length: models have one number a layer."""
_MOST: Final = 1 << 24
"""Of anything that is counted in a header; the largest vocabularies have a sixtieth."""
_ALIGNMENT: Final = 32
_AXES: Final = 4
_LEAST_VALUE: Final = 13
"""Bytes of the shortest value: a name without letters, a type, one byte. The shortest tensor has more."""
_SPLIT: Final = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf")


class Length(int):
    """How many elements a list has that was not read."""


class GgufTensor(NamedTuple):
    """A tensor: `shape` as torch has it, `kind` as ggml calls it, `offset` and `bytes` in the file.

    llama.cpp may know types that are newer than the package which names them here. Such a tensor has the number of its type
    as its `kind`, and no `bytes`: a file with one may be given to llama.cpp, and `GgufHeader.refuse_unknown` is for all others.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    offset: int
    bytes: int

    @property
    def numbers(self) -> int:
        count = 1
        for size in self.shape:
            count *= size
        return count

    @property
    def is_known(self) -> bool:
        return not self.kind.isdecimal()


class GgufHeader(NamedTuple):
    """What stands before the weights; `parts` are the files of the set, the path itself where it is no set.

    `bytes` are those of all weights, with what lies between them.
    """

    values: dict[str, Any]
    tensors: tuple[GgufTensor, ...]
    bytes: int
    parts: tuple[Path, ...]

    @property
    def architecture(self) -> str:
        return str(self.values.get("general.architecture", ""))

    def number(self, name: str, default: int = 0) -> int:
        """A number of the architecture's own, such as `block_count`: the largest where there is one for each layer."""
        found = self.values.get(f"{self.architecture}.{name}")
        numbers = found if isinstance(found, list) else [found]
        return max((one for one in numbers if isinstance(one, int) and one >= 0), default=default)

    @property
    def quantization(self) -> str:
        """The mixture that the file names, such as `Q4_K_M`, else the type in which most of its bytes are."""
        said = self.values.get("general.file_type")
        if isinstance(said, int) and said in set(LlamaFileType):
            return LlamaFileType(said).name.removeprefix("MOSTLY_").removeprefix("ALL_")
        sizes: dict[str, int] = {}
        for tensor in self.tensors:
            sizes[tensor.kind] = sizes.get(tensor.kind, 0) + tensor.bytes
        return max(sizes, key=lambda kind: sizes[kind], default="unknown")

    def refuse_unknown(self) -> None:
        """BAD_MODEL where a tensor is in a type of which nobody but llama.cpp may know how it is read."""
        unknown = next((tensor for tensor in self.tensors if not tensor.is_known), None)
        if unknown is not None:
            raise BatosError(
                "BAD_MODEL",
                f"{self.parts[0]} holds {unknown.name[:100]!r} in type {unknown.kind}, which is unknown here",
                "Give the model in another quantization, such as Q4_K_M.",
            )


def read_header(path: Path, *, whole: AbstractSet[str] = frozenset()) -> GgufHeader:
    """The header of the file at `path`, and of the other parts where it is one of a set; the lists `whole` are kept whole.

    BAD_MODEL for a file that is no GGUF, or not whole, and for a set of which a part is missing: it is named.
    """
    header = read_part(path, whole=whole)
    count = header.values.get("split.count", 0)
    parts: tuple[Path, ...] = (path,)
    if isinstance(count, int) and count > 1:
        parts = parts_of(path)
        if len(parts) != count:
            raise BatosError(
                "BAD_MODEL",
                f"{path} is one of {count} parts, and its name does not say which",
                f"Give it and the others the names that they had: NAME-00001-of-{count:05}.gguf and so on.",
            )
    return joined([header if part == path else read_part(part, whole=whole) for part in parts])


def joined(parts: list[GgufHeader]) -> GgufHeader:
    """The header of a set from those of its parts, in order. The first alone has to say what the model is: BAD_MODEL."""
    first = parts[0]
    if not first.architecture:
        raise BatosError("BAD_MODEL", f"{first.parts[0]} names no architecture (general.architecture)", AGAIN)
    return GgufHeader(
        first.values,
        tuple(tensor for part in parts for tensor in part.tensors),
        sum(part.bytes for part in parts),
        tuple(path for part in parts for path in part.parts),
    )


def read_part(path: Path, *, whole: AbstractSet[str] = frozenset()) -> GgufHeader:
    """The header of this file alone, which may be a part of a set and stand under any name. BAD_MODEL as `read_header`."""
    try:
        with path.open("rb") as file:
            begin = file.read(len(MAGIC))
            if begin != MAGIC:
                raise BatosError("BAD_MODEL", f"{path} is no GGUF file: {_instead(begin)}", AGAIN)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _Reader(path, data, whole).header()
    except OSError as error:
        raise BatosError("BAD_MODEL", f"{path} cannot be read: {error.strerror or error}", AGAIN) from error


def parts_of(path: Path) -> tuple[Path, ...]:
    """The files of the set that `path` is one of by its name, else itself; BAD_MODEL names those that are missing."""
    named = _SPLIT.fullmatch(path.name)
    if named is None:
        return (path,)
    stem, _, count = named.groups()
    parts = tuple(path.with_name(f"{stem}-{number:05}-of-{count}.gguf") for number in range(1, int(count) + 1))
    if path not in parts:
        return (path,)
    missing = [part.name for part in parts if not part.is_file()]
    if missing:
        raise BatosError(
            "BAD_MODEL",
            f"{path} is one of {len(parts)} parts, and beside it {_listed(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing",
            "Download the rest of the set into the same folder.",
            missing=missing,
        )
    return parts


class _Reader:
    """A place in the bytes of a file, which moves on by what is read and never over their end."""

    def __init__(self, path: Path, data: mmap.mmap, whole: AbstractSet[str]) -> None:
        self._path = path
        self._data = data
        self._whole = whole
        self._place = len(MAGIC)

    def header(self) -> GgufHeader:
        version = self._number("I")
        if version not in _VERSIONS:
            raise self._bad(f"is GGUF of version {version}; versions 2 and 3 in little-endian order are read")
        many, count = self._count(_LEAST_VALUE), self._count(_LEAST_VALUE)
        values = dict(self._named_value() for _ in range(count))
        found = [self._tensor() for _ in range(many)]
        alignment = values.get("general.alignment", _ALIGNMENT)
        if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
            raise self._bad(f"has general.alignment {alignment!r}, which is no power of two")
        start = -(-self._place // alignment) * alignment
        tensors = tuple(tensor._replace(offset=start + tensor.offset) for tensor in found)
        size, needed = len(self._data), max((tensor.offset + tensor.bytes for tensor in tensors), default=start)
        if needed > size:
            raise self._bad(
                f"is cut off: it has {size} bytes, and its header tells of {needed}", bytes=size, needed=needed
            )
        end = needed if all(tensor.is_known for tensor in tensors) else size
        return GgufHeader(values, tensors, end - start, (self._path,))

    def _bad(self, what: str, **data: int) -> BatosError:
        return BatosError("BAD_MODEL", f"{self._path} {what}", AGAIN, **data)

    def _skip(self, count: int) -> None:
        if count > len(self._data) - self._place:
            raise self._bad("is damaged or cut off: its header does not end")
        self._place += count

    def _numbers(self, letter: str, count: int) -> tuple[Any, ...]:
        begin = self._place
        self._skip(count * struct.calcsize("<" + letter))
        return struct.unpack_from(f"<{count}{letter}", self._data, begin)

    def _number(self, letter: str) -> Any:
        return self._numbers(letter, 1)[0]

    def _count(self, least: int) -> int:
        """How many things follow, each of at least so many bytes."""
        count = int(self._number("Q"))
        if count > _MOST:
            raise self._bad(f"is damaged: it counts {count} things in its header, which cannot be")
        if count * least > len(self._data) - self._place:
            raise self._bad("is damaged or cut off: its header does not end")
        return count

    def _text(self) -> str:
        length = self._number("Q")
        self._skip(length)
        return self._data[self._place - length : self._place].decode(errors="replace")

    def _named_value(self) -> tuple[str, Any]:
        name, kind = self._text(), self._number("I")
        if kind == _TEXT:
            return name, self._text()
        if kind == _LIST:
            return name, self._list(is_whole=name in self._whole)
        return name, self._number(self._letter(kind))

    def _letter(self, kind: int) -> str:
        if kind not in _NUMBERS:
            raise self._bad(f"has a value of the type {kind}, which GGUF does not know")
        return _NUMBERS[kind]

    def _list(self, *, is_whole: bool) -> Any:
        kind = self._number("I")
        if kind == _LIST:
            raise self._bad("has arrays within arrays, which no model has")
        if kind == _TEXT:
            count = self._count(struct.calcsize("<Q"))
            if is_whole:
                return [self._text() for _ in range(count)]
            for _ in range(count):
                self._skip(self._number("Q"))
            return Length(count)
        letter = self._letter(kind)
        width = struct.calcsize("<" + letter)
        count = self._count(width)
        if is_whole or count <= _FEW:
            return list(self._numbers(letter, count))
        self._skip(count * width)
        return Length(count)

    def _tensor(self) -> GgufTensor:
        """The tensor, its offset from where the tensors begin."""
        name, axes = self._text(), self._number("I")
        if not 0 < axes <= _AXES:
            raise self._bad(f"has a tensor {name[:100]!r} of {axes} dimensions")
        shape = tuple(reversed(self._numbers("Q", axes)))
        number, offset = self._number("I"), self._number("Q")
        try:
            kind = GGMLQuantizationType(number)
        except ValueError:
            return GgufTensor(name, shape, str(number), offset, 0)
        block, size = GGML_QUANT_SIZES[kind]
        tensor = GgufTensor(name, shape, kind.name, offset, 0)
        return tensor._replace(bytes=tensor.numbers // block * size)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _instead(begin: bytes) -> str:
    """What a file is that begins so, as far as people take such files for models."""
    if not begin:
        return "it is empty"
    if begin[:2] == b"PK":
        return "it is a zip, as PyTorch saves; give the Hugging Face folder that it belongs to"
    if begin == b"vers":
        return "it is a pointer of Git LFS; `git lfs pull` fetches the file"
    if begin[:1] == b"<":
        return "it is a web page, as a download that was refused leaves"
    return f"it begins with {begin!r}"
