"""`search`: a question to memory itself, since nothing needs thinking."""

from __future__ import annotations

from collections.abc import Sequence

from cli import wire
from cli.values import read_json
from protocol import verbs
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Found, Search


async def search(home: Home, request: Search) -> Found:
    return await wire.ask(home, verbs.SEARCH, request)


def narrowed(entries: Sequence[str]) -> dict[str, Value]:
    """Entries of metadata as a person states them, `key=value`; a value that is no JSON is a text."""
    found: dict[str, Value] = {}
    for entry in entries:
        key, sign, text = entry.partition("=")
        if not key or not sign:
            raise BatosError("USAGE", f"--where {entry[:60]!r} is no entry", "Say --where key=value.")
        try:
            found[key] = read_json(text, f"--where {key}")
        except BatosError:
            found[key] = text
    return found
