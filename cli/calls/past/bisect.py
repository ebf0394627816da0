"""`bisect`, read from the words of a command line, and asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from cli import values, wire
from cli.calls import mandate
from cli.moments import moment
from protocol.home import Home
from protocol.messages import Bisect, Bisected, BisectProgress
from protocol.verbs import BISECT

ASK_S: Final = 75.0
"""Seconds for the answer: more than a search may take, so that it says itself that it is late."""


def wanted(
    name: str,
    selector: str,
    args: Sequence[str],
    kwargs: Sequence[str],
    *,
    good: str,
    bad: str,
    expect: str,
) -> Bisect:
    """The request that the words state. BAD_JSON, BAD_SELECTOR, USAGE."""
    word, _ = mandate.read_selector(selector)
    return Bisect(
        target=mandate.check_target(name),
        selector=word,
        args=[values.read_outside(text, f"argument {n}") for n, text in enumerate(args, 1)],
        kwargs=values.read_pairs(kwargs, "--kw"),
        expect=values.read_json(expect, "--expect"),
        good=moment(good),
        bad=None if bad.strip().lower() == "now" else moment(bad),
    )


async def bisect(home: Home, request: Bisect, on_progress: Callable[[BisectProgress], None]) -> Bisected:
    """The commit."""
    return await wire.ask(home, BISECT, request, seconds=ASK_S, on_partial=on_progress)
