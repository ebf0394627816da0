"""A GGUF file on its way into the world: looked at, tried, and copied there as it is.

Nothing is converted, so a file's own bytes are its identity: the digest is their sha256, of a set of parts that of all of them
in order.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final, NamedTuple

from actors.inference.base_model import KeptModel
from actors.inference.model.gguf.header import AGAIN, GgufHeader, joined, parts_of, read_part
from protocol.errors import BatosError

_CHUNK: Final = 1 << 22

Say = Callable[[str], None]


class Source(NamedTuple):
    """The configured file, or all parts of its set in order, and a name that changes whenever what would be kept changes."""

    paths: tuple[Path, ...]
    name: str
    stamp: str


def find(path: Path) -> Source:
    """What the configured file is part of; BAD_MODEL names a part that is missing."""
    paths = parts_of(path)
    stamp = _stamp(paths)
    return Source(paths, f"{path} {stamp} gguf", stamp)


def header_of(files: KeptModel | Source, *, whole: AbstractSet[str] = frozenset()) -> GgufHeader:
    """The header of all parts, with the lists `whole`, if llama.cpp may see them; BAD_MODEL."""
    paths = files.paths if isinstance(files, Source) else tuple(files.files[name] for name in sorted(files.files))
    # What is kept lies under other names than those that the parts of a set know each other by.
    header = joined([read_part(path, whole=whole) for path in paths])
    told = header.values.get("split.count", 0) or 1
    if told != len(paths):
        raise BatosError(
            "BAD_MODEL", f"{paths[0]} says that it is one of {told} parts, and there are {len(paths)}", AGAIN
        )
    if "tokenizer.ggml.model" not in header.values:
        raise BatosError("BAD_MODEL", f"{paths[0]} has no tokenizer: it is no language model", AGAIN)
    if not header.tensors:
        raise BatosError("BAD_MODEL", f"{paths[0]} has no weights: it is a vocabulary alone", AGAIN)
    return header


def copy(source: Source, folder: Path, say: Say) -> KeptModel:
    """A copy of the source in the new `folder`, hashed as it is written; `say` is told how far it is. BAD_MODEL, STORAGE."""
    whole = sum(path.stat().st_size for path in source.paths)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        free = shutil.disk_usage(folder).free
        if whole > free:
            raise BatosError(
                "STORAGE",
                f"the world needs {whole / 1e9:.1f} GB for its copy of the model, and the disk of the home has {free / 1e9:.1f}",
                "Make room, or choose a home on another disk.",
            )
        digest = hashlib.sha256()
        done = 0
        files = {}
        for path in source.paths:
            files[path.name] = folder / path.name
            with path.open("rb") as read, files[path.name].open("wb") as written:
                while chunk := read.read(_CHUNK):
                    digest.update(chunk)
                    written.write(chunk)
                    done += len(chunk)
                    say(f"copying {path.name} into the world, {10 * done // max(whole, done) * 10} %")
                os.fsync(written.fileno())
    except OSError as error:
        raise BatosError(
            "STORAGE",
            f"{source.paths[0]} cannot be copied into the home: {error.strerror or error}",
            "Is the disk full?",
        ) from error
    if _stamp(source.paths) != source.stamp:
        raise BatosError(
            "BAD_MODEL", f"{source.paths[0]} was changed while it was copied", "Start again when it is whole."
        )
    return KeptModel(digest.hexdigest(), source.name, files)


def _stamp(paths: tuple[Path, ...]) -> str:
    try:
        stamps = [(path.name, (told := path.stat()).st_size, told.st_mtime_ns) for path in paths]
    except OSError as error:
        raise BatosError("BAD_MODEL", f"{paths[0]} cannot be looked at: {error.strerror or error}", AGAIN) from error
    return hashlib.sha256(repr(stamps).encode()).hexdigest()[:16]
