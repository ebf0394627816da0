"""`why`, asked for."""

from __future__ import annotations

from typing import Final

from cli import wire
from protocol.home import Home
from protocol.messages import Reasons, Why
from protocol.verbs import WHY

ASK_S: Final = 75.0
"""Seconds for the answer: a thought is thought again for it."""


async def why(home: Home, what: str, kind: str = "", *, used_by: bool = False) -> Reasons:
    """Where it comes from."""
    return await wire.ask(home, WHY, Why(what=what, kind=kind, used_by=used_by), seconds=ASK_S)
