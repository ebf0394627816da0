"""The last check: whether any file of the home still holds a passage of what was forgotten, and in which object.

What is looked for is a piece of each passage, in the spelling of the world's and the journal's files and in that of the logs. Who says
the same in words of his own is not found, nor what somebody has packed.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from actors.storage.purge.forgotten import MAPPING
from actors.storage.purge.reading import class_of, oid_in, state_of
from actors.storage.purge.rewriting import entries

LEAST: Final = 12
"""Characters of a piece that is looked for: shorter ones are anybody's words."""
MOST: Final = 60
MOST_OF_METHOD: Final = 200
"""Methods begin alike."""
PIECES: Final = 1000
"""Pieces that are looked for; of more, as many of them spread over all."""
HITS: Final = 10
"""Places that are told of one piece in one file."""


class Held(NamedTuple):
    """An object that still has a passage: its name, or that of the one in which it stands, and whether it has it now."""

    oid: str
    name: str
    is_now: bool


def pieces_of(texts: Iterable[str]) -> list[bytes]:
    """What is looked for of these texts."""
    found: dict[bytes, None] = {}
    for text in texts:
        line = max(text.splitlines() or [""], key=len).strip()
        piece = line[: MOST_OF_METHOD if text.startswith("def ") else MOST]
        if len(piece) >= LEAST:
            found[piece.encode()] = None
            found[json.dumps(piece)[1:-1].encode()] = None
    every = list(found)
    return every if len(every) <= PIECES else every[:: len(every) // PIECES + 1]


def places(path: Path, pieces: Sequence[bytes]) -> Iterator[int]:
    """Where in a file any of the pieces stands."""
    if not pieces or not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        for piece in pieces:
            at, told = whole.find(piece), 0
            while at >= 0 and told < HITS:
                yield at
                at, told = whole.find(piece, at + 1), told + 1


def holders(database: Path, at: Iterable[int]) -> list[Held]:
    """Which objects have the records at these places of the world's file."""
    wanted = sorted(at)
    if not wanted:
        return []
    last: dict[bytes, int] = {}
    found: dict[bytes, int] = {}
    above: dict[bytes, bytes] = {}
    names: dict[bytes, str] = {}
    turn = iter(wanted)
    place: int | None = next(turn)
    for oid, _tid, position, data in entries(database):
        last[oid] = position
        _note(oid, data, above, names)
        while place is not None and place < position + len(data) + 64:
            if place >= position:
                found[oid] = position
            place = next(turn, None)
    return [Held(oid.hex(), _name(oid, above, names), last[oid] == position) for oid, position in found.items()]


def _note(oid: bytes, data: bytes, above: dict[bytes, bytes], names: dict[bytes, str]) -> None:
    """Which object a container stands in, and what an object is called."""
    of = class_of(data)
    if of not in {"world.uvm.UvmObject", MAPPING, "persistent.list.PersistentList", "world.memory.Passage"}:
        return
    try:
        state = state_of(data)
    except Exception:  # noqa: BLE001 - a damaged record names nothing
        return
    value: Any = state.value
    if of == "world.uvm.UvmObject" and isinstance(value, dict):
        if isinstance(name := value.get("_name"), str):
            names[oid] = name
        if inside := oid_in(value.get("_slots")):
            above[inside] = oid
    elif of == "world.memory.Passage":
        names[oid] = "a passage of a document that is remembered"
    else:
        for inside in state.references:
            above.setdefault(inside, oid)


def _name(oid: bytes, above: dict[bytes, bytes], names: dict[bytes, str]) -> str:
    seen: set[bytes] = set()
    while oid not in names and oid in above and oid not in seen:
        seen.add(oid)
        oid = above[oid]
    return names.get(oid, "")
