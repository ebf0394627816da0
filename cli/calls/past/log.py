"""`log` and `diff`: which commits there were, and what two moments differ in."""

from __future__ import annotations

from typing import Final

from cli import wire
from cli.calls import mandate
from cli.moments import moment
from protocol import verbs
from protocol.home import Home
from protocol.messages import Diff, DiffReply, Log, Logged

READ_S: Final = 600.0
"""Seconds: between two far moments lie all commits of a world."""


async def log(
    home: Home,
    *,
    target: str | None,
    since: str | None,
    before: str | None,
    cycle: str | None,
    limit: int,
    every: bool,
) -> Logged:
    """A page of commits, the newest first."""
    wanted = Log(
        object=None if target is None else mandate.check_target(target),
        since=None if since is None else moment(since),
        before=None if before is None else moment(before),
        cycle=cycle,
        limit=limit,
        every=every,
    )
    return await wire.ask(home, verbs.LOG, wanted, seconds=READ_S)


async def diff(home: Home, a: str, b: str, *, target: str | None, after: str | None, limit: int) -> DiffReply:
    """A page of what the world at `b` has other than at `a`."""
    on = None if target is None else mandate.check_target(target)
    wanted = Diff(a=moment(a), b=moment(b), object=on, after=after, limit=limit)
    return await wire.ask(home, verbs.DIFF, wanted, seconds=READ_S)
