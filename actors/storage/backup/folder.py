"""A folder with backups: whether it is one, who writes to it, which generations it has, and what a killed backup has left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from actors.storage.backup import blobs, manifest
from actors.storage.backup.files import put, written_to
from actors.storage.backup.manifest import (
    BLOBS,
    FOLDERS,
    GENERATIONS,
    LOCK,
    UNFINISHED,
    KeptHome,
)
from bus.process.in_place import sync
from bus.process.lock import hold
from protocol.errors import BatosError
from protocol.home import Home

_HINT: Final = "Make room there, make it yours to write to, or choose another folder."
_NOT_OURS: Final = frozenset({"lost+found"})
"""What stands in an empty file system."""


def check_outside(home: Home, folder: Path) -> None:
    """BAD_BACKUP where the folder lies in the home, or the home in the folder: what destroys one would destroy both."""
    place, root = folder.resolve(), home.root.resolve()
    if place == root or root in place.parents or place in root.parents:
        raise BatosError(
            "BAD_BACKUP",
            f"{folder} and the home {home.root} lie within each other",
            "Choose a folder outside, best on another disk.",
        )


def check_no_home(home: Home, folder: Path) -> None:
    """BAD_BACKUP where a home is to be made in the backup's folder: both have a `world` and blobs. Its own backup may lie in a home."""
    place, root = folder.resolve(), home.root.resolve()
    if place == root or place in root.parents:
        raise BatosError(
            "BAD_BACKUP",
            f"the home {home.root} would lie in the backup's folder {folder}, which is only read",
            "Name a home outside of it: --home DIR.",
        )


def prepare(folder: Path) -> None:
    """Make the folder ready to be written to. BAD_BACKUP where it holds other things, STORAGE where it cannot be written to."""
    try:
        names = {entry.name for entry in folder.iterdir()} - _NOT_OURS if folder.exists() else set()
    except NotADirectoryError:
        raise BatosError("BAD_BACKUP", f"{folder} is no folder", "Name a folder for the backup.") from None
    except OSError as error:
        raise BatosError("STORAGE", f"cannot read {folder}: {error.strerror}", _HINT, path=str(folder)) from error
    if names and not _is_ours(folder, names):
        raise BatosError(
            "BAD_BACKUP",
            f"{folder} is not empty, and no backup",
            "Name an empty folder, one that is not there, or the folder of an earlier backup.",
        )
    with written_to(folder, "the backup folder", _HINT):
        for name in FOLDERS:
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        sync(folder)


def _is_ours(folder: Path, names: set[str]) -> bool:
    """Whether it has a generation, or what is left of a first backup that has failed or was killed: all else is removed one day."""
    if any((folder / GENERATIONS).glob("*.json")):
        return True
    if not names <= {*FOLDERS, LOCK, UNFINISHED, f"{UNFINISHED}.part"}:
        return False
    return UNFINISHED in names or not any(path.is_file() for name in FOLDERS for path in (folder / name).rglob("*"))


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Be the only one that writes to a folder that is prepared. BUSY where another backup does."""
    try:
        with hold(folder / LOCK, f"the backup folder {folder}"):
            yield
    except BatosError as error:
        if error.code == "HOME_HELD":
            said = f"another backup writes to {folder} (pid {error.data.get('pid') or 'unknown'})"
            raise BatosError("BUSY", said, "Wait for its end, or choose another folder.", **error.data) from error
        if error.code == "STORAGE" and error.__cause__ is not None:
            with written_to(folder, "the backup folder", _HINT):
                raise error.__cause__ from None
        raise


def generations(folder: Path) -> list[KeptHome | BatosError]:
    """Each generation of the folder, the oldest first, or why it cannot be read. BAD_BACKUP where the folder holds no backup."""
    try:
        names = sorted(path for path in (folder / GENERATIONS).iterdir() if path.suffix == ".json")
    except (FileNotFoundError, NotADirectoryError):
        names = []
    except OSError as error:
        raise BatosError("STORAGE", f"cannot read {folder}: {error.strerror}", "Is it yours to read?") from error
    if not names:
        raise BatosError(
            "BAD_BACKUP",
            f"{folder} holds no backup" if folder.exists() else f"{folder} is not there",
            "Name the folder that `batos backup` has written to.",
        )
    return [_read(path) for path in names]


def good(folder: Path) -> list[KeptHome]:
    """The generations that can be read, the oldest first; none where there are none."""
    try:
        return [found for found in generations(folder) if isinstance(found, KeptHome)]
    except BatosError as error:
        if error.code != "BAD_BACKUP":
            raise
        return []


def choose(folder: Path, *, generation: str = "", until: float | None = None, tid: str = "") -> KeptHome:
    """The generation of this name (a unique beginning will do), or the newest until then, or the newest of all.

    BAD_BACKUP where there is none such; DAMAGED where it cannot be read.
    """
    found = generations(folder)
    if generation:
        matching = [path for path in (folder / GENERATIONS).glob("*.json") if path.stem.startswith(generation)]
        exact = [path for path in matching if path.stem == generation]
        if len(exact or matching) == 1:
            return manifest.read((exact or matching)[0])
        some = "several generations begin" if matching else "no generation begins"
        raise BatosError("BAD_BACKUP", f"{some} with {generation[:40]!r} in {folder}", _see(folder))
    readable = [one for one in found if isinstance(one, KeptHome)]
    if until is not None or tid:
        early = [one for one in readable if (one.world.tid <= tid if tid else one.time <= (until or 0.0))]
        if not early:
            raise BatosError("BAD_BACKUP", f"no generation in {folder} is so old", _see(folder))
        return early[-1]
    last = found[-1]
    if isinstance(last, BatosError):
        raise last
    return last


def begin(folder: Path) -> int:
    """Remove what a killed backup has left, and note that one begins; how many files were removed."""
    note = folder / UNFINISHED
    removed = sweep(folder) if note.exists() else 0
    put(note, b"A backup has begun here. Where none is running it was killed; the next one removes what it has left.\n")
    return removed


def end(folder: Path) -> None:
    """Note that the backup has ended, and nothing is left of it but what its generation names."""
    (folder / UNFINISHED).unlink(missing_ok=True)
    sync(folder)


def sweep(folder: Path) -> int:
    """Remove the files that no generation names, and how many there were. Nothing is removed where one cannot be read."""
    found = [] if not any((folder / GENERATIONS).glob("*.json")) else generations(folder)
    known = {kept.path for one in found if isinstance(one, KeptHome) for kept in one.named()}
    try:
        for one in found:
            if isinstance(one, BatosError):
                return 0
            known |= {f"{BLOBS}/{path}" for path in blobs.listed(folder, one)}
    except BatosError:
        return 0
    removed = 0
    for name in FOLDERS:
        for path in [path for path in (folder / name).rglob("*") if path.is_file() or path.is_symlink()]:
            at = path.relative_to(folder)
            is_generation = at.parts[0] == GENERATIONS and path.suffix == ".json"
            if not is_generation and str(at) not in known:
                path.unlink()
                removed += 1
    _remove_empty(folder / BLOBS)
    return removed


def keep_newest(folder: Path) -> None:
    """Forget all generations but the newest, with their files."""
    for one in good(folder)[:-1]:
        manifest.path_of(folder, one.generation).unlink()
    sync(folder / GENERATIONS)
    sweep(folder)


def _remove_empty(top: Path) -> None:
    for path in sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True):
        with suppress(OSError):  # not empty
            path.rmdir()


def _read(path: Path) -> KeptHome | BatosError:
    try:
        return manifest.read(path)
    except BatosError as error:
        return error


def _see(folder: Path) -> str:
    return f"See those that are there: batos restore {folder} --list"
