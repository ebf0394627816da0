"""Files that are copied, hashed on the way, and made durable; and what the disk says when it does not take them."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from bus.process.in_place import sync
from protocol.errors import BatosError

CHUNK: Final = 1 << 18
"""Bytes that are looked at at once: what is compared and hashed then is still in the cache of the processor."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_CLOSED: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


class Copied(NamedTuple):
    """How many bytes, and their sha256."""

    bytes: int
    sha256: str


def copy(source: Path, target: Path) -> None:
    """Copy a file to a name that nothing has, durably but for the name; its folder must be there."""
    with source.open("rb") as reading, target.open("xb") as writing:
        while os.sendfile(writing.fileno(), reading.fileno(), None, CHUNK):
            pass
        flush(writing)


def compared(path: Path, source: Path) -> Copied | None:
    """A file's size and sha256, read from it; None where it does not begin as `source` does."""
    digest, size = hashlib.sha256(), 0
    for data in _same(path, source, 0):
        if data is None:
            return None
        digest.update(data)
        size += len(data)
    return Copied(size, digest.hexdigest())


def is_same(path: Path, source: Path, start: int) -> bool:
    """Whether a file says what stands in `source` from `start` on, as far as it goes."""
    return all(data is not None for data in _same(path, source, start))


def _same(path: Path, source: Path, start: int) -> Iterator[bytes | None]:
    with path.open("rb") as file, source.open("rb") as other:
        other.seek(start)
        while data := file.read(CHUNK):
            yield data if data == other.read(len(data)) else None


def flush(writing: Any) -> None:
    writing.flush()
    os.fsync(writing.fileno())


def put(path: Path, data: bytes) -> Copied:
    """Write a file whole, durably with its name, over whatever has that name."""
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        file.write(data)
        flush(file)
    beside.replace(path)
    sync(path.parent)
    return Copied(len(data), hashlib.sha256(data).hexdigest())


def digest_of(path: Path) -> Copied:
    """A file's size and sha256, read from the file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            digest.update(data)
            size += len(data)
    return Copied(size, digest.hexdigest())


def folders(paths: Iterable[Path], top: Path) -> list[Path]:
    """The folders that hold `paths`, up to `top`, each before the folder that holds it."""
    found = {top}
    for path in paths:
        folder = path.parent
        while folder not in found:
            found.add(folder)
            folder = folder.parent
    return sorted(found, key=lambda folder: len(folder.parts), reverse=True)


@contextmanager
def written_to(folder: Path, what: str, hint: str) -> Iterator[None]:
    """Tell what `folder` has refused within the block as STORAGE. `what` it is, and what to do about it."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            said = f"{what} {folder} is full"
        elif error.errno in _CLOSED:
            said = f"{what} {folder} cannot be written to ({error.strerror})"
        else:
            said = f"{what} {folder} has failed: {error}"
        raise BatosError("STORAGE", said, hint, path=str(folder)) from error
