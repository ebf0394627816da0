"""What a GGUF file says of itself, without reading its weights: its values, and where each of its tensors lies.

The layout is that of the format's own page (ggml, docs/gguf.md), versions 2 and 3, least significant byte first. A vocabulary
has hundreds of thousands of words there; of such a list the length alone is kept, which takes a tenth of a second where
reading all of it takes ten.
"""

from __future__ import annotations

import mmap
import re
import struct
from pathlib import Path
from typing import Any, Final, NamedTuple

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType, LlamaFileType

from protocol.errors import BatosError

MAGIC: Final = b"GGUF"
AGAIN: Final = "Download the file again, or name another one."
_NUMBERS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""struct's letter for each type of number, by the format's number for it."""
_TEXT: Final = 8
_LIST: Final = 9
_FEW: Final = 4096
"""A list of more numbers, or of texts, is told by its length."""
_MOST: Final = 1 << 20
"""Values or tensors in a file: a header that says more is none."""
_SPLIT: Final = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")


class Length(int):
    """How many elements a list has that was not read."""


class GgufTensor(NamedTuple):
    """A tensor: `shape` as torch has it, `kind` as ggml calls it, `offset` and `bytes` in the file."""

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


class GgufHeader(NamedTuple):
    """What stands before the weights; `parts` are the files of the set, the path itself where it is no set."""

    values: dict[str, Any]
    tensors: tuple[GgufTensor, ...]
    parts: tuple[Path, ...]

    @property
    def architecture(self) -> str:
        return str(self.values.get("general.architecture", ""))

    def of_model(self, name: str) -> Any:
        """A value of the architecture's own, such as `block_count`; None where there is none."""
        return self.values.get(f"{self.architecture}.{name}")

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


class _Reader:
    """A place in the bytes of a file; struct.error where they end."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self.place = 0

    def numbers(self, letters: str) -> tuple[Any, ...]:
        form = "<" + letters
        found = struct.unpack_from(form, self._data, self.place)
        self.place += struct.calcsize(form)
        return found

    def text(self) -> str:
        (length,) = self.numbers("Q")
        self.skip(length)
        return self._data[self.place - length : self.place].decode(errors="replace")

    def skip(self, count: int) -> None:
        if count > len(self._data) - self.place:
            raise struct.error
        self.place += count

    def value(self, kind: int) -> Any:
        if kind == _TEXT:
            return self.text()
        if kind == _LIST:
            return self._list()
        return self.numbers(_NUMBERS[kind])[0]

    def _list(self) -> Any:
        kind, count = self.numbers("IQ")
        if kind == _TEXT:
            for _ in range(count):
                self.skip(self.numbers("Q")[0])
        elif kind == _LIST:
            for _ in range(count):
                self._list()
        elif count <= _FEW:
            return list(self.numbers(f"{count}{_NUMBERS[kind]}"))
        else:
            self.skip(count * struct.calcsize("<" + _NUMBERS[kind]))
        return Length(count)


def read_header(path: Path) -> GgufHeader:
    """The header of the file at `path`, and of the other parts where it is one of a set.

    BAD_MODEL for a file that is no GGUF, or not whole, and for a set of which a part is missing: it is named.
    """
    header = _read(path)
    count = header.values.get("split.count", 0)
    if not isinstance(count, int) or count < 2:
        return header
    parts = _parts(path, count)
    tensors = [tensor for part in parts for tensor in (header if part == path else _read(part)).tensors]
    first = header if parts[0] == path else _read(parts[0])
    return GgufHeader(first.values, tuple(tensors), parts)


def _read(path: Path) -> GgufHeader:
    try:
        with path.open("rb") as file:
            begin = file.read(len(MAGIC))
            if begin != MAGIC:
                raise BatosError("BAD_MODEL", f"{path} is no GGUF file: {_instead(begin)}", AGAIN)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _parsed(path, data)
    except OSError as error:
        raise BatosError("BAD_MODEL", f"{path} cannot be read: {error.strerror}", AGAIN) from error
    except (struct.error, KeyError, OverflowError) as error:
        raise BatosError("BAD_MODEL", f"{path} is damaged or cut off: its header does not end", AGAIN) from error


def _parsed(path: Path, data: mmap.mmap) -> GgufHeader:
    reader = _Reader(data)
    reader.skip(len(MAGIC))
    (version,) = reader.numbers("I")
    if version not in {2, 3}:
        raise BatosError("BAD_MODEL", f"{path} is of version {version} of GGUF; known are 2 and 3", AGAIN)
    many, count = reader.numbers("QQ")
    if max(many, count) > _MOST:
        raise KeyError(many)
    values = {}
    for _ in range(count):
        name = reader.text()
        values[name] = reader.value(reader.numbers("I")[0])
    found = [_tensor(path, reader) for _ in range(many)]
    align = int(values.get("general.alignment", 32)) or 32
    start = -(-reader.place // align) * align
    tensors = tuple(tensor._replace(offset=start + tensor.offset) for tensor in found)
    needed = max((tensor.offset + tensor.bytes for tensor in tensors), default=start)
    if needed > len(data):
        raise BatosError(
            "BAD_MODEL",
            f"{path} is cut off: it has {len(data)} bytes, and its header tells of {needed}",
            AGAIN,
            bytes=len(data),
            needed=needed,
        )
    return GgufHeader(values, tensors, (path,))


def _tensor(path: Path, reader: _Reader) -> GgufTensor:
    name = reader.text()
    (axes,) = reader.numbers("I")
    if axes > 8:
        raise KeyError(axes)
    shape = reader.numbers(f"{axes}Q")
    number, offset = reader.numbers("IQ")
    try:
        kind = GGMLQuantizationType(number)
    except ValueError:
        hint = "Give the model in another quantization, such as Q4_K_M."
        raise BatosError("BAD_MODEL", f"{path} holds {name} in type {number}, which is unknown here", hint) from None
    block, size = GGML_QUANT_SIZES[kind]
    tensor = GgufTensor(name, tuple(reversed(shape)), kind.name, offset, 0)
    return tensor._replace(bytes=tensor.numbers // block * size)


def _parts(path: Path, count: int) -> tuple[Path, ...]:
    """The files of the set that `path` is one of; BAD_MODEL names those that are missing."""
    named = _SPLIT.search(path.name)
    if named is None:
        raise BatosError(
            "BAD_MODEL",
            f"{path} is one of {count} parts, and its name does not say which",
            f"Give it and the others the names that they had: NAME-00001-of-{count:05}.gguf and so on.",
        )
    stem = path.name[: named.start()]
    parts = tuple(path.with_name(f"{stem}-{number:05}-of-{count:05}.gguf") for number in range(1, count + 1))
    missing = [part.name for part in parts if not part.is_file()]
    if missing:
        raise BatosError(
            "BAD_MODEL",
            f"{path} is one of {count} parts, and beside it {_listed(missing)} {'is' if len(missing) == 1 else 'are'} missing",
            "Download the rest of the set into the same folder.",
            missing=missing,
        )
    return parts


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
