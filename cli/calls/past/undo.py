"""`undo` and `rewind`: what was written is taken back, once for its key."""

from __future__ import annotations

from typing import Final

from cli import wire
from cli.calls import sending
from cli.moments import moment
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import PlanRewind, PlanUndo, Undone

WRITE_S: Final = 630.0
"""Seconds: a little more than the orchestrator takes at most."""


async def undo(home: Home, what: str, *, cascade: bool, dry_run: bool, key: str | None) -> Undone:
    """Take a commit back, which a transaction's id names, or that of a cycle or a mandate."""
    if not what.strip():
        raise BatosError("USAGE", "nothing is named that could be taken back", "`batos log` shows what there is.")
    wanted = PlanUndo(what=what.strip(), cascade=cascade, dry_run=dry_run)
    return await wire.ask(home, verbs.UNDO, wanted, key=sending.check_key(key), seconds=WRITE_S)


async def rewind(home: Home, when: str, *, dry_run: bool, key: str | None) -> Undone:
    """Take back all that came since a moment."""
    wanted = PlanRewind(to=moment(when), dry_run=dry_run)
    return await wire.ask(home, verbs.REWIND, wanted, key=sending.check_key(key), seconds=WRITE_S)
