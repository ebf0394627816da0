"""`pack`: let the world forget its history, and the journal what was said in mandates that ended long ago."""

from __future__ import annotations

import textwrap
import time
from typing import Final

from cli import wire
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home, duration
from protocol.messages import Pack, Packed

WIDTH: Final = 80
PACK_S: Final = 86_400.0
"""Seconds that a pack may take: it reads the whole world."""


async def pack(home: Home, keep: str | None, *, really: bool) -> Packed:
    """Forget what is older than `keep` (None: as configured). Without `really`, only say what would go."""
    if keep is not None:
        try:
            duration(keep)
        except ValueError as error:
            raise BatosError("USAGE", f"--keep {error}") from error
    async with wire.client(home) as bus:
        await wire.reach(home, bus, "orchestrator")
        return await bus.call(verbs.PACK, Pack(keep=keep, really=really), seconds=PACK_S)


def forgets(found: Packed) -> str:
    """What a pack is about to forget, for a person."""
    history, ended = _moment(found.world.before), _moment(found.journal.before)
    said = (
        f"This forgets the world's history before {history}: `look --at` reaches no moment before that,"
        f" and what nothing refers to is gone.\n"
        f"Of {found.journal.bodies} mandates that ended before {ended} the journal keeps the digests of what was said, and the"
        f" keys: they are not answered again, nor done again.\n"
        f"It forgets {found.journal.mandates} mandates (those that are more than keep_mandates), with their cycles and their"
        f" keys: a key that is forgotten is a new mandate."
    )
    return "\n".join(textwrap.fill(line, WIDTH, break_on_hyphens=False) for line in said.splitlines())


def packed(found: Packed) -> str:
    """What a pack has forgotten, for a person."""
    return (
        f"world    {_room(found.world.bytes_before, found.world.bytes_after)}\n"
        f"journal  {_room(found.journal.bytes_before, found.journal.bytes_after)},"
        f" {found.journal.mandates} mandates forgotten, digests stay of {found.journal.bodies}"
    )


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _room(before: int, after: int) -> str:
    return f"{before / 1e6:.1f} MB → {after / 1e6:.1f} MB"
