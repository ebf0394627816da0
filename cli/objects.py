"""Questions about the world that need no thinking: make an object, look, read a method, the cycles, the codex."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cli import mandate, values, wire
from protocol import codec, names
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import (
    Codex,
    CodexReply,
    Created,
    Cycles,
    CycleStory,
    CycleSummary,
    Event,
    Look,
    Looked,
    New,
    Source,
    SourceText,
    Watch,
    Watched,
)

MAX_CODEX: Final = 1 << 18

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


async def watch(home: Home, id_: str, seconds: float, on_event: Callable[[Event], None]) -> Watched:
    """Follow a mandate or a cycle to its end; TIMEOUT when our patience ends first."""
    async with wire.client(home) as bus:
        await wire.reach(home, bus, "orchestrator")
        found: Watched = await bus.call("orchestrator", "watch", Watch(id=id_), seconds=seconds, on_partial=on_event)
        return found


async def codex(home: Home, file: str | None) -> CodexReply:
    """The world's codex; with a file (`-`: standard input), that becomes it."""
    found: CodexReply = await wire.ask(home, "codex", Codex(text=None if file is None else _read(file)))
    return found


def _read(file: str) -> str:
    try:
        data = sys.stdin.buffer.read(MAX_CODEX + 1) if file == "-" else Path(file).read_bytes()
        text = data.decode()
    except (OSError, ValueError) as error:
        raise BatosError("UNREADABLE", f"cannot read {file}: {error}", "Give a text file in UTF-8.") from error
    if len(data) > MAX_CODEX:
        raise BatosError("TOO_LARGE", f"{file} has more than {MAX_CODEX} bytes", "A codex is a page of TOML.")
    return text
