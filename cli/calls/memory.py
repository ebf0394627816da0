"""`search`: a question to memory itself, since nothing needs thinking."""

from __future__ import annotations

from cli import wire
from protocol import verbs
from protocol.home import Home
from protocol.messages import Found, Search


async def search(home: Home, query: str, top_k: int) -> Found:
    return await wire.ask(home, verbs.SEARCH, Search(query=query, top_k=top_k))
