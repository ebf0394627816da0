"""`pack --purge`: what was forgotten goes from all files of a home whose system is down, by code of the actors that know the files.

1. The storage's says which documents were forgotten and still stand in the world's past. 2. The orchestrator's lets only digests stay of
what the journal has of mandates that were told of them. 3. The storage's packs, rewrites and looks through all that there is. Killed
anywhere, it is begun again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, Final

import msgspec

from cli.calls.guard import environment
from cli.calls.keeping.pack import WIDTH, forgets
from protocol.errors import BatosError
from protocol.failure import Failure, raised_from
from protocol.home import Home, duration
from protocol.messages import Packed, PackedJournal, PackedWorld

_SHOWN: Final = 20
_UNKNOWN: Final = (
    "experts that were trained on it keep what they learned: `batos expert ls`",
    "backups, exported bundles and files outside of this home are not touched",
    "ids of documents stay, in the history's descriptions and in the tree of names",
)


class Purgeable(msgspec.Struct, frozen=True):
    """What was forgotten and would be purged: documents, and the mandates of which the journal keeps only digests."""

    documents: list[str]
    mandates: list[str]
    running: list[str]
    packed: Packed


class LeftPlace(msgspec.Struct, frozen=True):
    """Where something stays, and why."""

    where: str
    why: str


class ChangedFile(msgspec.Struct, frozen=True):
    """A file that was removed, or some lines of it."""

    path: str
    what: str
    bytes: int


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What was purged, and what was not. `not_known` is what no program can find."""

    documents: list[str]
    mandates: int
    objects: int
    revisions: int
    bytes_before: int
    bytes_after: int
    files: list[ChangedFile] = []
    left: list[LeftPlace] = []
    not_known: list[str] = []


class Purged(msgspec.Struct, frozen=True, kw_only=True):
    """As a pack says it, and what was purged."""

    world: PackedWorld
    journal: PackedJournal
    purged: Receipt


def find(home: Home, keep: str | None) -> Purgeable:
    """What would go; nothing is changed. USAGE, and HOME_HELD while the system is up."""
    if keep is not None:
        try:
            duration(keep)
        except ValueError as error:
            raise BatosError("USAGE", f"--keep {error}") from error
    forgotten = _run(home, "actors.storage", "--forgotten")
    return _found(home, _journal(home, forgotten, keep, really=False))


def purge(home: Home, keep: str | None) -> Purged:
    """Purge it."""
    forgotten = _run(home, "actors.storage", "--forgotten")
    found = _found(home, _journal(home, forgotten, keep, really=True))
    asked = {"documents": found.documents, "mandates": found.mandates, "before": found.packed.world.before}
    done = _run(home, "actors.storage", "--purge", asked)
    running = [
        LeftPlace(
            f"mandate {mandate}", "it has no end yet, and goes on with what it was told: purge again after its end"
        )
        for mandate in found.running
    ]
    told = msgspec.convert({**done, "mandates": len(found.mandates)}, Receipt)
    receipt = msgspec.structs.replace(told, left=[*running, *told.left], not_known=list(_UNKNOWN))
    world = msgspec.structs.replace(
        found.packed.world, bytes_before=receipt.bytes_before, bytes_after=receipt.bytes_after
    )
    return Purged(world=world, journal=found.packed.journal, purged=receipt)


def takes(found: Purgeable) -> str:
    """What a purge is about to take, for a person."""
    documents = f"{len(found.documents)} document{'' if len(found.documents) == 1 else 's'}"
    said = (
        f"It takes {documents} that were forgotten out of every file of this home, at every moment of the past, and what"
        f" {len(found.mandates)} mandates were told of them:"
    )
    lines = [forgets(found.packed), textwrap.fill(said, WIDTH, break_on_hyphens=False)]
    lines += [f"  {doc_id}" for doc_id in found.documents[:_SHOWN]]
    lines += [f"  … and {len(found.documents) - _SHOWN} more"] if len(found.documents) > _SHOWN else []
    return "\n".join(lines)


def receipt(done: Purged) -> str:
    """The receipt, for a person."""
    told = done.purged
    lines = [
        f"purged   {len(told.documents)} documents: {told.revisions} revisions of {told.objects} objects emptied",
        f"world    {_room(told.bytes_before, told.bytes_after)}",
        f"journal  {_room(done.journal.bytes_before, done.journal.bytes_after)}, digests stay of {told.mandates} mandates",
        *(f"removed  {each.what}, {each.bytes:,} bytes: {each.path}" for each in told.files),
    ]
    if told.left:
        lines += ["What was found and stays:", *_listed([f"{each.where}: {each.why}" for each in told.left])]
    lines += ["What no program can know:", *_listed(told.not_known)]
    return "\n".join([*lines, "Go on: `batos up`, and `batos doctor --deep` looks through all of it."])


def _listed(lines: list[str]) -> list[str]:
    return [
        textwrap.fill(line, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
        for line in lines
    ]


def _room(before: int, after: int) -> str:
    return f"{before / 1e6:.1f} MB → {after / 1e6:.1f} MB"


def _found(home: Home, journal: dict[str, Any]) -> Purgeable:
    size = home.database.stat().st_size if home.database.exists() else 0
    world = PackedWorld(before=journal["history_before"], bytes_before=size, bytes_after=size)
    packed = Packed(world=world, journal=msgspec.convert(journal["journal"], PackedJournal))
    return Purgeable(journal["documents"], journal["mandates"], journal["running"], packed)


def _journal(home: Home, forgotten: dict[str, Any], keep: str | None, *, really: bool) -> dict[str, Any]:
    return _run(home, "actors.orchestrator", "--purge", {**forgotten, "keep": keep, "really": really})


def _run(home: Home, module: str, word: str, asked: dict[str, Any] | None = None) -> dict[str, Any]:
    """One line of JSON from an actor's program; raises the error that it tells."""
    command = [sys.executable, "-P", "-m", module, "--home", str(home.root), word]
    done = subprocess.run(  # noqa: S603 - ours
        command,
        input=json.dumps(asked or {}),
        capture_output=True,
        text=True,
        check=False,
        env=environment(None),
        cwd=Path("/"),
    )
    try:
        line: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError) as error:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise BatosError("INTERNAL", f"{module} did not answer: {said[-1][:500]}") from error
    if "error" in line:
        raise raised_from(msgspec.convert(line["error"], Failure))
    return line
