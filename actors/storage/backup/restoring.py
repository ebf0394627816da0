"""A home made of a generation: copied beside its place, verified there as a whole, and only then moved into its place.

    restoring/    the home as it is being copied and verified; where this is killed, it begins again
    restored/     the home that was verified; where its moving is killed, the moves that are missing are all that is left to do

While one of these folders is there nothing of the home starts (`protocol.home`). The backup is only read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ZODB import DB
from ZODB.FileStorage import FileStorage

from actors.storage.backup import blobs, manifest
from actors.storage.backup.files import CHUNK, copy, digest_of, flush, folders, put, written_to
from actors.storage.backup.manifest import BLOBS, Kept, KeptHome
from actors.storage.records import problems
from bus.process.in_place import sync
from bus.process.lock import hold
from protocol.errors import BatosError
from protocol.home import Home
from world.store import snapshot
from world.version import SCHEMA, version_of

Tell = Callable[[str], None]

NOTE: Final = "restore.json"
"""In the folder of a restore: which generation it is of, and what was found in it."""
AT_ONCE: Final = 1000
"""Objects that are held in memory at once while all are opened."""
_BESIDE: Final = ("-wal", "-shm")
_NOTHING: Final = frozenset({blobs.MARKER, "world.fs.lock"})
"""What a storage makes in the folder of a world before there is one."""


def restore(home: Home, folder: Path, chosen: KeptHome, tell: Tell) -> dict[str, Any]:
    """Make `home`, which must have no world and no journal, what `chosen` says, and tell what that is.

    Where a restore was killed after it had verified, its moves are finished, whichever generation is asked for (`finished`).
    USAGE (there is a world), NEWER_WORLD, DAMAGED, STORAGE, HOME_HELD.
    """
    began = time.monotonic()
    _check_known(chosen)
    check_empty(home)
    hint = "Make room there, or choose a home on another disk. The backup is as it was."
    with written_to(home.root, "the home", hint):
        home.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        with hold(home.run / "storage.lock", f"the world of {home.root}"):
            is_finished = home.restored.exists()
            if not is_finished:
                check_empty(home)
                _prepare(home, folder, chosen, tell)
            tell("moves it into its place")
            found = _move(home)
    return {**found, "home": str(home.root), "finished": is_finished, "seconds": round(time.monotonic() - began, 3)}


def check_empty(home: Home) -> None:
    """USAGE where the home has a world or a journal of its own."""
    if not home.restored.exists():  # otherwise what is there came from the restore that is to be finished
        check_no_world(home, home.journal)


def check_no_world(home: Home, *others: Path) -> None:
    """USAGE where the home has a world, or one of `others`."""
    there = [path for path in (home.database, *others) if path.exists()]
    # Whatever stands in the folder that is put in its place would go with it.
    there = there or [path for path in home.world.rglob("*") if not path.is_dir() and path.name not in _NOTHING][:1]
    if there:
        raise BatosError(
            "USAGE",
            f"the home {home.root} is not empty: {there[0]} is there",
            "Name a home that is not there yet (--home DIR), or move that one away.",
        )


def _check_known(chosen: KeptHome) -> None:
    if chosen.world.form > SCHEMA:
        raise BatosError(
            "NEWER_WORLD",
            f"the generation {chosen.generation} has form {chosen.world.form}, and this program knows forms up to {SCHEMA}",
            f"Install batos {chosen.program} or a newer one, which has made it.",
            world=chosen.world.form,
            program=SCHEMA,
            needs=chosen.program,
        )


def _prepare(home: Home, folder: Path, chosen: KeptHome, tell: Tell) -> None:
    stage = Home(home.restoring)
    if stage.root.exists():
        shutil.rmtree(stage.root)
    stage.root.mkdir(mode=0o700)
    sync(home.root)
    try:
        tell("copies the generation")
        fill(stage, folder, chosen)
        tell("opens the world and walks every object")
        objects, reopened = verify(stage, chosen)
    except BaseException:
        shutil.rmtree(stage.root, ignore_errors=True)
        raise
    found = {
        "dir": str(folder),
        "generation": chosen.generation,
        "world": {"id": chosen.world.id, "tid": chosen.world.tid, "form": chosen.world.form},
        "objects": objects,
        "reopened": reopened,
        "bytes": chosen.bytes,
    }
    put(stage.root / NOTE, json.dumps(found).encode())
    stage.root.rename(home.restored)
    sync(home.root)


def fill(stage: Home, folder: Path, chosen: KeptHome, *, link: bool = False) -> None:
    """Copy a generation into the folder `stage`, durably. DAMAGED names the file of the backup that is not as it was written.

    `link`: the blobs may be the same files, where the disk can do that.
    """
    stage.blobs.mkdir(mode=0o700, parents=True)
    made = [stage.database]
    with stage.database.open("xb") as file:
        for part in chosen.world.parts:
            _append(folder, part, file)
        flush(file)
    index = stage.database.with_name(stage.database.name + ".index")
    wanted: list[tuple[Path, Kept]] = [(index, chosen.world.index)]
    if chosen.journal is not None:
        wanted.append((stage.journal, chosen.journal))
    wanted += [(stage.root / file.name, file) for file in chosen.files]
    for at, known in blobs.listed(folder, chosen).items():
        kept = Kept(path=f"{BLOBS}/{at}", bytes=known.bytes, sha256=known.sha256)
        wanted.append((stage.blobs / at, kept))
    for path, kept in wanted:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (link and path.is_relative_to(stage.blobs) and _linked(folder / kept.path, path)):
            _copy(folder, kept, path)
        made.append(path)
    put(stage.blobs / blobs.MARKER, chosen.blobs.layout.encode())
    for inner in folders(made, stage.root):
        sync(inner)


def _linked(source: Path, target: Path) -> bool:
    try:
        target.hardlink_to(source)
    except OSError:  # another disk, or one that has no links
        return False
    return True


def _append(folder: Path, part: Kept, file: Any) -> None:
    path = folder / part.path
    digest = hashlib.sha256()
    with _reading(path), path.open("rb") as source:
        size = 0
        while data := source.read(CHUNK):
            digest.update(data)
            file.write(data)
            size += len(data)
    _check(path, part, size, digest.hexdigest())


def _copy(folder: Path, kept: Kept, target: Path) -> None:
    path = folder / kept.path
    with _reading(path):
        copy(path, target)
    _check(path, kept, *digest_of(target))


@contextlib.contextmanager
def _reading(path: Path) -> Any:
    try:
        yield
    except FileNotFoundError as error:
        raise manifest.damaged(path, "it is missing") from error


def _check(path: Path, kept: Kept, size: int, sha256: str) -> None:
    if (size, sha256) != (kept.bytes, kept.sha256):
        raise manifest.damaged(path, f"it has {size} bytes that are not the {kept.bytes} that were written")


def verify(stage: Home, chosen: KeptHome) -> tuple[int, int]:
    """Open the world and load each object, look at each record and all of the journal; objects, and mandates opened again.

    DAMAGED names what is not whole.
    """
    objects = walked(stage, f"the generation {chosen.generation}")
    if chosen.journal is None:
        return objects, 0
    command = [sys.executable, "-P", "-m", "actors.orchestrator", "--home", str(stage.root)]
    done = subprocess.run(  # noqa: S603 - ours
        [*command, "--restored", chosen.world.tid], capture_output=True, text=True, check=False
    )
    try:
        said = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise _unfit(f"the generation {chosen.generation}", f"the journal could not be read: {last[:300]}") from None
    if "newer" in said:
        raise BatosError(
            "NEWER_WORLD",
            f"the generation {chosen.generation} has a newer journal: {said['newer']}",
            f"Install batos {chosen.program} or a newer one, which has made it.",
            needs=chosen.program,
        )
    if said["journal"]:
        raise _unfit(f"the generation {chosen.generation}", f"the journal: {said['journal'][0]}")
    for ending in _BESIDE:
        stage.journal.with_name(stage.journal.name + ending).unlink(missing_ok=True)
    sync(stage.journal)
    return objects, int(said["reopened"])


def walked(home: Home, what: str) -> int:
    """Look at each record of a home's world, and load each object; how many there are. DAMAGED says that `what` is not whole."""
    found = problems(home.database, home.blobs)
    if found:
        raise _unfit(what, f"{found[0]} (and {len(found) - 1} more)" if len(found) > 1 else found[0])
    try:
        return _walk(home)
    except BatosError:
        raise
    except Exception as error:
        raise _unfit(what, f"an object cannot be loaded: {type(error).__name__}: {error}") from error


def _walk(stage: Home) -> int:
    """Load every object of a world; how many there are."""
    storage = FileStorage(str(stage.database), read_only=True, blob_dir=str(stage.blobs))
    with contextlib.closing(DB(storage, cache_size=AT_ONCE)) as db, snapshot(db) as connection:
        version_of(connection)
        count = 0
        for oid in list(storage._index):  # noqa: SLF001 - FileStorage lists its objects nowhere else
            connection.get(oid)._p_activate()
            count += 1
            if count % AT_ONCE == 0:
                connection.cacheGC()
        return count


def _unfit(what: str, why: str) -> BatosError:
    return BatosError(
        "DAMAGED",
        f"{what} is not whole: {why}",
        "Nothing was restored. Restore an earlier generation: `batos restore DIR --list` shows them.",
    )


def _move(home: Home) -> dict[str, Any]:
    """Move what was verified into its place. Killed at any point, done again it goes on from there."""
    made, note = home.restored, home.restored / NOTE
    found: dict[str, Any] = json.loads(note.read_bytes()) if note.exists() else {}
    if (made / home.world.name).exists():
        if home.world.exists():
            check_no_world(home)
            shutil.rmtree(home.world)
        (made / home.world.name).rename(home.world)
        sync(home.root)
    if (made / home.journal.name).exists():
        for ending in _BESIDE:
            home.journal.with_name(home.journal.name + ending).unlink(missing_ok=True)
        (made / home.journal.name).rename(home.journal)
        sync(home.root)
    for path in sorted(path for path in made.rglob("*") if path.is_file() and path.name != NOTE):
        target = home.root / path.relative_to(made)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if target.exists() and target.read_bytes() != path.read_bytes():
            target = target.with_name(target.name + ".restored")  # what is there is somebody's
        path.rename(target)
        sync(target.parent)
    for rest in [path for path in made.iterdir() if path != note]:
        shutil.rmtree(rest)
    note.unlink(missing_ok=True)  # the last thing that is needed of it
    made.rmdir()
    sync(home.root)
    return found
