"""`replay`, read from the words of a command line, and asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cli import wire
from cli.calls import hand, mandate
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Replay, Replayed
from protocol.messages.reasons import OtherSource
from protocol.verbs import REPLAY

ASK_S: Final = 75.0
"""Seconds for the answer: more than a replay may take, so that it says itself that it is late."""


def wanted(id_: str, words: Sequence[str]) -> Replay:
    """The request that the words state, each of them `NAME.SELECTOR=FILE`. USAGE, BAD_SELECTOR, UNREADABLE, TOO_LARGE."""
    sources: dict[tuple[str, str], OtherSource] = {}
    for word in words:
        method, equals, file = word.partition("=")
        name, dot, selector = method.rpartition(".")
        if not (equals and dot and name and file):
            raise BatosError(
                "USAGE", f"--with {word[:60]!r} names no method and its file", "Say --with NAME.SELECTOR=FILE."
            )
        selector, _ = mandate.read_selector(selector)
        if (name, selector) in sources:
            raise BatosError("USAGE", f"--with {method} is given twice", "Give it once.")
        source = hand.read_source(file)
        sources[name, selector] = OtherSource(name=mandate.check_target(name), selector=selector, source=source)
    return Replay(id=id_, sources=list(sources.values()))


async def replay(home: Home, request: Replay) -> Replayed:
    """The thought of now beside that of then."""
    return await wire.ask(home, REPLAY, request, seconds=ASK_S)
