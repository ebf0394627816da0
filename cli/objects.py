"""Questions about the world that need no thinking: make an object, look, read a method, read the cycles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from cli import mandate, values, wire
from protocol import codec, names
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Created, Cycles, CycleStory, CycleSummary, Look, Looked, New, Source, SourceText

_TID: Final = re.compile(r"[0-9a-f]{16}")


async def create(home: Home, name: str, slots: Sequence[str], parent: str | None = None) -> Created:
    """A new object with the slots that the words `slot=json` state."""
    wanted = New(
        name=names.check_object(name),
        parent=None if parent is None else mandate.check_target(parent),
        slots={names.check_slot(slot): value for slot, value in values.read_pairs(slots, "slot").items()},
    )
    codec.encode(wanted.slots)
    made: Created = await wire.ask(home, "new", wanted)
    return made


async def look(home: Home, target: str, at: str | None = None) -> Looked:
    """The object as it is, or as it was at transaction `at`."""
    if at is not None and _TID.fullmatch(at) is None:
        raise BatosError("USAGE", f"--at {at} is no transaction", "It is 16 hexadecimal digits, as results show them.")
    seen: Looked = await wire.ask(home, "look", Look(target=mandate.check_target(target), at=at))
    return seen


async def source(home: Home, target: str, selector: str) -> SourceText:
    """The method that lookup finds on the object under `selector`."""
    name, _ = mandate.read_selector(selector)
    found: SourceText = await wire.ask(home, "source", Source(target=mandate.check_target(target), selector=name))
    return found


async def cycles(home: Home, limit: int) -> list[CycleSummary]:
    """The newest cycles, newest first."""
    found: list[CycleSummary] = (await wire.ask(home, "cycles", Cycles(limit=limit))).cycles
    return found


async def story(home: Home, id_: str) -> CycleStory:
    """One cycle, by its id or its mandate's."""
    found: CycleStory | None = (await wire.ask(home, "cycles", Cycles(id=id_))).story
    if found is None:
        raise BatosError(
            "UNKNOWN_CYCLE", f"no cycle and no mandate {id_!r}", f"List: {wire.command(home, 'cycle', 'ls')}"
        )
    return found
