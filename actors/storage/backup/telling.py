"""What a process of the storage does with backups, and the shapes in which it is told."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from actors.storage.backup import folder as places
from actors.storage.backup.files import put, written_to
from actors.storage.backup.manifest import KeptHome
from actors.storage.backup.restoring import fill, walked
from actors.storage.backup.restoring import restore as restored
from actors.storage.backup.taking import backup as taken
from protocol.errors import BatosError
from protocol.home import Home

Tell = Callable[[str], None]


def backup(home: Home, folder: Path, tell: Tell, *, own: bool) -> dict[str, Any]:
    """Add a generation; see `taking`. Of the home's `own` folder the newest generation alone stays."""
    found = taken(home, folder, tell, own=own)
    if own:
        places.keep_newest(folder)
    else:
        with contextlib.suppress(OSError):  # the backup is there, whether the home's own disk takes a note of it or not
            _note(home, found)
    return found


def known(home: Home) -> dict[str, str]:
    """The folders into which a home was backed up, each with its newest generation."""
    try:
        return msgspec.json.decode(home.backups.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        return {}


def _note(home: Home, found: dict[str, Any]) -> None:
    put(home.backups, msgspec.json.encode({**known(home), found["dir"]: found["generation"]}))


def listed(folder: Path) -> dict[str, Any]:
    """The generations of a folder, the oldest first. One that cannot be read has a `problem`, and nothing else."""
    return {"dir": str(folder), "generations": [_shown(one) for one in places.generations(folder)]}


def restore(home: Home, folder: Path, tell: Tell, *, generation: str, until: float | None, tid: str) -> dict[str, Any]:
    """Make the home of a generation; see `restoring`."""
    places.check_no_home(home, folder)
    chosen = places.choose(folder, generation=generation, until=until, tid=tid)
    return restored(home, folder.absolute(), chosen, tell)


def rehearse(home: Home) -> dict[str, Any]:
    """Make the home's rehearsal of the newest generation of its own backup; the blobs' files are shared."""
    stage = Home(home.rehearsal)
    if stage.root.exists():
        shutil.rmtree(stage.root)
    chosen = places.choose(home.backup)
    with written_to(home.root, "the home", "Make room there: a newer form is tried on a copy of the world first."):
        stage.root.mkdir(mode=0o700)
        fill(stage, home.backup, chosen, link=True)
    return {"home": str(stage.root), "generation": chosen.generation}


def walk(home: Home) -> dict[str, Any]:
    """Load every object of a home's world, and look at each record; DAMAGED where one is not whole."""
    return {"objects": walked(home, str(home.database))}


def _shown(one: KeptHome | BatosError) -> dict[str, Any]:
    if isinstance(one, BatosError):
        return {"generation": Path(str(one.data.get("path", ""))).stem, "problem": one.message}
    return {
        "generation": one.generation,
        "time": one.time,
        "tid": one.world.tid,
        "form": one.world.form,
        "bytes": one.bytes,
        "blobs": one.blobs.count,
        "program": one.program,
        "home": one.home,
    }
