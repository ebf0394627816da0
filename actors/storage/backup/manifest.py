"""What a generation of a backup is made of, and how a backup's folder is laid out.

    generations/NAME.json    a generation, which is there from the moment that this file has its name, and not before
    world/                   what repozo writes: a whole copy of the world's file, and then what was added to it
    blobs/                   the world's blobs at the paths that they have in the home; one never changes, so all generations
                             that know it share it
    lists/NAME               the blobs of a generation: a line each with digest, size and path
    journal/NAME.sqlite      the journal
    files/DIGEST             what else of a home is kept, by its content
    lock                     who writes here now
    unfinished               a backup has begun to write, and its end is not known

A file that a generation names is never changed. So a backup that is killed leaves all generations as they were, and files
that none of them names, which the next backup removes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from protocol.errors import BatosError

FORMAT: Final = 1
GENERATIONS: Final = "generations"
WORLD: Final = "world"
BLOBS: Final = "blobs"
LISTS: Final = "lists"
JOURNAL: Final = "journal"
FILES: Final = "files"
FOLDERS: Final = (GENERATIONS, WORLD, BLOBS, LISTS, JOURNAL, FILES)
LOCK: Final = "lock"
UNFINISHED: Final = "unfinished"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the backup: its path there, its size and its sha256."""

    path: str
    bytes: int
    sha256: str


class Part(Kept, frozen=True, kw_only=True):
    """A file of repozo's: the world's file from `start` on; repozo knows it by its `md5`."""

    start: int
    md5: str


class KeptWorld(msgspec.Struct, frozen=True, kw_only=True):
    """The world up to the transaction `tid`. `id` tells it from every other world, `form` is its schema version.

    `place` (device and inode) is the file that it was read from: another one is compared from its first byte on.
    """

    id: str
    tid: str
    form: int
    bytes: int
    place: tuple[int, int]
    parts: list[Part]
    index: Kept


class KeptJournal(Kept, frozen=True, kw_only=True):
    """`version`: the form of the journal's tables."""

    version: int


class KeptBlobs(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are and how large, how ZODB lays them out in folders, and where their list is."""

    count: int
    bytes: int
    layout: str
    list: Kept


class KeptFile(Kept, frozen=True, kw_only=True):
    """`name`: its path in the home."""

    name: str


class KeptHome(msgspec.Struct, frozen=True, kw_only=True):
    """A generation. `time` is in seconds since 1970, `home` the folder that it was made of, `program` what has made it."""

    format: int
    generation: str
    time: float
    program: str
    home: str
    world: KeptWorld
    journal: KeptJournal | None
    blobs: KeptBlobs
    files: list[KeptFile]

    def named(self) -> list[Kept]:
        """Its files, but for the blobs."""
        journal = [] if self.journal is None else [self.journal]
        return [*self.world.parts, self.world.index, *journal, self.blobs.list, *self.files]

    @property
    def bytes(self) -> int:
        """The size of what is restored of it."""
        journal = 0 if self.journal is None else self.journal.bytes
        return self.world.bytes + self.blobs.bytes + journal + sum(file.bytes for file in self.files)


def path_of(folder: Path, generation: str) -> Path:
    return folder / GENERATIONS / f"{generation}.json"


def read(path: Path) -> KeptHome:
    """The manifest at `path`; DAMAGED where it is none, NEWER_WORLD where only a newer program knows its form."""
    try:
        text = path.read_bytes()
        known = msgspec.json.decode(text, type=dict)
        written = known.get("format")
        if isinstance(written, int) and written > FORMAT:
            program = str(known.get("program"))
            raise BatosError(
                "NEWER_WORLD",
                f"{path} was written by a newer program, batos {program[:40]}",
                f"Restore it with batos {program[:40]}, or a newer one.",
                program=program,
            )
        found = msgspec.json.decode(text, type=KeptHome)
    except OSError as error:
        raise BatosError("STORAGE", f"cannot read {path}: {error.strerror}", "Is it yours to read?") from error
    except msgspec.DecodeError as error:
        raise damaged(path, f"it says nothing that can be read: {error}") from error
    if found.generation != path.stem:
        raise damaged(path, f"it is that of another generation, {found.generation[:40]}")
    return found


def text_of(manifest: KeptHome) -> bytes:
    """The manifest as it is written: a person can read it."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def damaged(path: Path, why: str) -> BatosError:
    return BatosError(
        "DAMAGED",
        f"the backup's file {path} is damaged: {why}",
        "Restore another generation (`batos restore DIR --list` shows them), and make a new backup in an empty folder.",
        path=str(path),
    )
