"""Questions about the world that need no thinking: make an object, look, read a method, the cycles, the codex."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from bus.again import Again
from cli import values, wire
from cli.calls import mandate, sending
from cli.moments import moment
from protocol import codec, names, verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import (
    Cancel,
    Cancelled,
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
from protocol.texts import bounded_text

MAX_CODEX: Final = 1 << 18


async def create(
    home: Home, name: str, slots: Sequence[str], parent: str | None = None, key: str | None = None
) -> Created:
    """A new object with the slots that the words `slot=json` state; made once, however often its answer is lost."""
    wanted = New(
        name=names.check_object(name),
        parent=None if parent is None else mandate.check_target(parent),
        slots={names.check_slot(slot): value for slot, value in values.read_pairs(slots, "slot").items()},
    )
    codec.encode(wanted.slots)
    return await wire.ask(home, verbs.NEW, wanted, key=sending.check_key(key))


async def look(
    home: Home, target: str | None, at: str | None = None, after: str | None = None, limit: int = 100
) -> Looked:
    """A page of the object as it is, or as it was `at` a moment. Without a target: the root itself."""
    when = None if at is None else moment(at)
    wanted = names.ROOT_OID if target is None else mandate.check_target(target)
    return await wire.ask(home, verbs.LOOK, Look(target=wanted, at=when, after=after, limit=limit))


async def source(home: Home, target: str, selector: str, at: str | None = None) -> SourceText:
    """The method that lookup finds, or found `at` a moment, on the object under `selector`."""
    name, _ = mandate.read_selector(selector)
    when = None if at is None else moment(at)
    return await wire.ask(home, verbs.SOURCE, Source(target=mandate.check_target(target), selector=name, at=when))


async def cycles(home: Home, limit: int) -> list[CycleSummary]:
    """The newest cycles, newest first."""
    return (await wire.ask(home, verbs.CYCLES, Cycles(limit=limit))).cycles


async def story(home: Home, id_: str) -> CycleStory:
    """One cycle, by its id or its mandate's."""
    found = (await wire.ask(home, verbs.CYCLES, Cycles(id=id_))).story
    if found is None:
        raise BatosError(
            "UNKNOWN_CYCLE", f"no cycle and no mandate {id_!r}", f"List: {wire.command(home, 'cycle', 'ls')}"
        )
    return found


async def watch(home: Home, id_: str, seconds: float, on_event: Callable[[Event], None]) -> Watched:
    """Follow a mandate or a cycle to its end, however often the system is lost; TIMEOUT when our patience ends first."""
    again = Again(sending.patience(seconds))
    async with wire.client(home) as bus:
        await wire.reach(home, bus, "orchestrator")
    while (left := again.left) > 0:
        try:
            async with wire.client(home) as bus:
                return await bus.call(verbs.WATCH, Watch(id=id_), seconds=left, on_partial=on_event)
        except BatosError as error:
            if error.code == "TIMEOUT":
                break
            if not again.may(error):
                raise wire.told(home, error) from error
        await again.rest()
    on = wire.command(home, "cycle", "watch", id_)
    raise BatosError(
        "TIMEOUT", f"{id_} has not ended within {seconds:g} s; it goes on", f"Watch on: {on}", goes_on=True
    )


async def cancel(home: Home, id_: str) -> Cancelled:
    """End a mandate, or that of a cycle; how it has ended."""
    return await wire.ask(home, verbs.CANCEL, Cancel(id=id_))


async def codex(home: Home, file: str | None) -> CodexReply:
    """The world's codex; with a file (`-`: standard input), its content becomes the codex first."""
    text = (
        None
        if file is None
        else bounded_text(
            file,
            name=file,
            most=MAX_CODEX,
            parts="A codex is a page of TOML.",
            convert="Give the codex as a text file.",
            code="UNREADABLE",
        )
    )
    return await wire.ask(home, verbs.CODEX, Codex(text=text))
