"""A backup of a home, whether it runs or not: one more generation in a folder.

1. What a killed backup has left is removed.
2. The world's file is copied up to the last transaction, and meanwhile the blobs that are there.
3. Then the journal: what the world's copy knows of a mandate, the journal's copy knows too. It may know of ends that
   the world's copy has not seen, which a restore opens again.
4. The blobs that came meanwhile, up to that transaction, and the other files.
5. All was read back, and is on the disk; the manifest gets its name, and the generation is there.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

from actors.storage.backup import blobs, manifest, world
from actors.storage.backup import folder as places
from actors.storage.backup.blobs import Blobs
from actors.storage.backup.files import Copied, copy, digest_of, put, written_to
from actors.storage.backup.manifest import FILES, FORMAT, JOURNAL, KeptFile, KeptHome, KeptJournal
from bus.process.in_place import sync
from protocol.errors import BatosError
from protocol.home import Home
from world.version import program

Tell = Callable[[str], None]

ATTEMPTS: Final = 3
KEPT: Final = ("batos.toml", "edits", "staging")
"""What of a home is state beside the world and the journal: the settings, texts of the user's that were not taken yet, and adapters
that inference is to take in. Logs, sockets, and what is made of the world again are not."""
LEAST: Final = 1 << 16
"""Bytes: on a disk with less SQLite has had no room, whatever it says."""
_BROKEN: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_FORMAT_NAME: Final = "%Y%m%dT%H%M%SZ"


class _Taken(NamedTuple):
    """A generation, and what was copied for it."""

    made: KeptHome
    files: int
    bytes: int


def backup(home: Home, folder: Path, tell: Tell, *, own: bool = False) -> dict[str, Any]:
    """Add a generation to `folder`, and say what it is; `own`: it lies in the home, and shares the blobs' files with it.

    BAD_BACKUP (another world's folder, or none that can be one), BAD_CONFIG, BUSY, STORAGE, DAMAGED.
    """
    began = time.monotonic()
    folder = folder.absolute()
    _check_home(home)
    if not own:
        places.check_outside(home, folder)
    places.prepare(folder)
    with _failing(folder), places.held(folder):
        found = places.good(folder)
        _check_same(home, folder, found)
        swept = places.begin(folder)
        try:
            taken = _taken(home, folder, found, tell, own=own)
        except BaseException:
            places.sweep(folder)
            places.end(folder)
            raise
        places.end(folder)
    last = found[-1] if found else None
    return {
        "dir": str(folder),
        "generation": taken.made.generation,
        "world": {"id": taken.made.world.id, "tid": taken.made.world.tid, "form": taken.made.world.form},
        "full": last is None or taken.made.world.parts[0] != last.world.parts[0],
        "copied": {"files": taken.files, "bytes": taken.bytes},
        "bytes": taken.made.bytes,
        "generations": len(found) + 1,
        "swept": swept,
        "seconds": round(time.monotonic() - began, 3),
    }


def _check_home(home: Home) -> None:
    home.check_restored()
    uri = home.settings().storage.uri
    if uri:
        raise BatosError(
            "BAD_CONFIG",
            f"the world of this home is at {uri}, and not in the home",
            "Make a backup with the means of that store, and copy batos.toml and the journal while the system is down.",
        )
    if not world.identity_of(home.database):
        raise BatosError(
            "BAD_BACKUP",
            f"there is no world in {home.root} yet",
            "Name the home that has one (--home, or BATOS_HOME), or make one: batos up.",
            empty=True,
        )


def _check_same(home: Home, folder: Path, found: list[KeptHome]) -> None:
    ours = world.identity_of(home.database)
    others = [one for one in found if one.world.id != ours]
    if others:
        raise BatosError(
            "BAD_BACKUP",
            f"{folder} holds backups of another world, that of {others[-1].home}",
            "Choose another folder for this home's.",
            world=ours,
            other=others[-1].world.id,
        )


@contextmanager
def _failing(folder: Path) -> Iterator[None]:
    """What the disks refuse is told as STORAGE, with what stands."""
    hint = "Make room there or choose another folder; the generations that were there are whole."
    with written_to(folder, "the backup folder", hint):
        try:
            yield
        except sqlite3.Error as error:
            if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _BROKEN:
                raise _broken(str(error)) from error
            found = os.statvfs(folder)
            if found.f_bavail * found.f_frsize < LEAST:
                raise OSError(errno.ENOSPC, str(error)) from error
            raise BatosError("STORAGE", f"the journal cannot be copied: {error}", hint) from error


def _taken(home: Home, folder: Path, found: list[KeptHome], tell: Tell, *, own: bool) -> _Taken:
    moment = _moment(folder)
    for _ in range(ATTEMPTS):
        try:
            return _attempt(home, folder, _last(folder, found), moment, tell, own=own)
        except world.Moved:
            tell("the world was packed meanwhile; beginning again")
            places.sweep(folder)
            moment += 1
    raise BatosError("BUSY", "the world is packed again and again", "Try again when that has ended.")


def _last(folder: Path, found: list[KeptHome]) -> KeptHome | None:
    """What this generation adds to; nothing where the newest cannot be read, whose files repozo would take for the last."""
    names = sorted(path.stem for path in (folder / manifest.GENERATIONS).glob("*.json"))
    return found[-1] if found and names[-1] == found[-1].generation else None


def _moment(folder: Path) -> float:
    """Now, to a second, but later than any generation: clocks go back, and two backups may be made in a second."""
    names = [path.stem for path in (folder / manifest.GENERATIONS).glob("*.json")]
    now = int(time.time())
    while names and time.strftime(_FORMAT_NAME, time.gmtime(now)) <= max(names):
        now += 1
    return float(now)


def _attempt(home: Home, folder: Path, last: KeptHome | None, moment: float, tell: Tell, *, own: bool) -> _Taken:
    generation = time.strftime(_FORMAT_NAME, time.gmtime(moment))
    known = {} if last is None else blobs.check_there(folder, blobs.listed(folder, last))
    tell("copies the world and its blobs")
    with ThreadPoolExecutor(1) as beside:
        early = beside.submit(_blobs, home, folder, known, own=own)
        kept = world.take(home, folder, None if last is None else last.world, moment)
        tell("copies the journal")
        journal = _journal(home, folder, generation, None if last is None else last.journal)
        taken = early.result()
    late = _blobs(home, folder, taken.known, own=own)
    # Neither those of later transactions, nor what was taken away since, of a commit that failed or by a pack.
    standing = {path: late.known[path] for path in blobs.standing(home.blobs, kept.tid) if path in late.known}
    for path in late.known.keys() - standing.keys() - known.keys():
        (folder / manifest.BLOBS / path).unlink(missing_ok=True)
    files = _files(home, folder)
    if not _same_place(home, kept.place):
        raise world.Moved
    listed = blobs.write_list(folder, generation, standing, blobs.layout_of(home.blobs))
    made = KeptHome(
        format=FORMAT,
        generation=generation,
        time=moment,
        program=program(),
        home=str(home.root),
        world=kept,
        journal=journal,
        blobs=listed,
        files=files,
    )
    for name in manifest.FOLDERS:
        sync(folder / name)
    put(manifest.path_of(folder, generation), manifest.text_of(made))
    before = {kept.path for kept in last.named()} if last is not None else set()
    new = [kept for kept in made.named() if kept.path not in before]
    count = len(new) + taken.copied + late.copied
    return _Taken(made, count, sum(kept.bytes for kept in new) + taken.bytes + late.bytes)


def _blobs(home: Home, folder: Path, known: dict[str, Copied], *, own: bool) -> Blobs:
    return blobs.take(home.blobs, folder, blobs.standing(home.blobs), known, link=own)


def _same_place(home: Home, place: tuple[int, int]) -> bool:
    try:
        found = home.database.stat()
    except FileNotFoundError:
        return False
    return (found.st_dev, found.st_ino) == place


def _journal(home: Home, folder: Path, generation: str, last: KeptJournal | None) -> KeptJournal | None:
    """A copy of the journal as it is at one moment, also while it is written to; the last copy where nothing has changed."""
    if not home.journal.exists():
        return None
    at = f"{JOURNAL}/{generation}.sqlite"
    path = folder / at
    path.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"{home.journal.as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(path, isolation_level=None)) as target,
    ):
        target.execute("PRAGMA synchronous = OFF")  # it is synced below, once
        source.backup(target)
        (version,) = target.execute("PRAGMA user_version").fetchone()
        (said,) = target.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise _broken(said)
    found = digest_of(path)
    if last is not None and (last.bytes, last.sha256) == found and (folder / last.path).exists():
        path.unlink()
        return last
    sync(path)
    return KeptJournal(path=at, bytes=found.bytes, sha256=found.sha256, version=version)


def _broken(why: str) -> BatosError:
    return BatosError(
        "DAMAGED",
        f"the journal is damaged: {' '.join(why.split())}",
        "`batos doctor --deep` says more. Restore the newest generation, or stop the system and move the journal away.",
    )


def _files(home: Home, folder: Path) -> list[KeptFile]:
    """What else is kept of a home, each content once."""
    found = []
    for path in chain.from_iterable(_within(home.root / name) for name in KEPT):
        digest = digest_of(path)
        at = f"{FILES}/{digest.sha256}"
        target = folder / at
        if not target.exists() or target.stat().st_size != digest.bytes:
            beside = target.with_name(f"{target.name}.part")
            beside.unlink(missing_ok=True)
            copy(path, beside)
            digest = digest_of(beside)  # it may have changed since
            at = f"{FILES}/{digest.sha256}"
            os.replace(beside, folder / at)  # noqa: PTH105 - both are paths of ours
        found.append(KeptFile(path=at, bytes=digest.bytes, sha256=digest.sha256, name=str(path.relative_to(home.root))))
    return found


def _within(path: Path) -> list[Path]:
    """The file, settings that are kept elsewhere and linked to as well; or the files of the folder: what is linked to there is not of
    the home.
    """
    if path.is_file():
        return [path]
    if path.is_symlink() or not path.exists():
        return []
    return sorted(found for found in path.rglob("*") if found.is_file() and not found.is_symlink())
