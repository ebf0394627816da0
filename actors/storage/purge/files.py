"""What else stands in a home beside the world's file: copies of it and of the journal that something has left, and the logs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from protocol.home import Home

COPIES: Final = (".old", ".pack", ".copy", ".tmp", ".index_tmp", ".purge")
"""What the storage, a pack and a file that is put back leave, or left when they were killed, after the file's own name."""


class Removed(NamedTuple):
    """A file, or some lines of it, that were taken away."""

    path: str
    what: str
    bytes: int


def remove_copies(home: Home) -> Iterator[Removed]:
    """Remove the old copies of the world's file and of the journal, and the home's own backup: they have all that these had then."""
    for file in (home.database, home.journal):
        for ending in COPIES:
            copy = file.with_name(file.name + ending)
            if copy.is_file() and not copy.is_symlink():
                size = copy.stat().st_size
                copy.unlink()
                if size:
                    yield Removed(str(copy), "an old copy", size)
    for folder, what in (
        (home.backup, "the home's own backup from before a newer form"),
        (home.rehearsal, "a rehearsal of a newer form that was killed"),  # the next start makes its own
    ):
        if folder.is_dir() and not folder.is_symlink():
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            shutil.rmtree(folder)
            yield Removed(str(folder), what, size)


def clean_logs(home: Home, words: Sequence[bytes]) -> Iterator[Removed]:
    """Take the lines out of all logs, those of earlier days too, that have any of `words`."""
    for path in sorted(home.log.glob("*")) if home.log.is_dir() else ():
        if not path.is_file() or path.is_symlink():
            continue
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if not any(word in line for word in words)]
        if len(kept) == len(lines):
            continue
        fresh = path.with_name(path.name + ".purge")
        with open(os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:  # noqa: PTH123
            file.writelines(kept)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        gone = len(lines) - len(kept)
        yield Removed(str(path), f"{gone} line{'s' if gone > 1 else ''}", sum(map(len, lines)) - sum(map(len, kept)))


def spelled(word: str) -> list[bytes]:
    """A text as the value in a line of a log: in other words it is no matter."""
    return list(dict.fromkeys([json.dumps(word, ensure_ascii=False).encode(), json.dumps(word).encode()]))


def every(home: Home) -> Iterator[Path]:
    """All files of the home that are looked through at the end: weights are numbers, and links lead out of it."""
    for folder, folders, names in os.walk(home.root):
        folders[:] = [name for name in folders if Path(folder, name) != home.blobs]
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink() and path.suffix not in {".safetensors", ".gguf"}:
                yield path
