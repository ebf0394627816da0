"""`/v1` on a real socket of this process, with a stub bus behind it, and OpenAI's own client before it."""

from __future__ import annotations

import asyncio

import openai
import pytest

from cli.doors.http import app
from cli.doors.http.app import Door
from cli.doors.http.running import answering, bound
from protocol.errors import BatosError
from protocol.messages import BaseModelReply, Charged, Listed, Looked
from protocol.origin import Origin

TOKEN = "a token"
ORIGIN = Origin(kind="http", name="my program", token="ab", rights=["ask"])
OID, TID = "000000000000002a", "03f1000000000001"


class Known(dict):
    """Origins by their tokens; `asked` has for each admission whether texts were to be generated."""

    def __init__(self, known):
        super().__init__(known)
        self.asked = []


@pytest.fixture
def tokens(monkeypatch):
    """What stands behind each token that may be shown; a test adds to it, or takes away."""
    known = Known({TOKEN: ORIGIN})

    async def admitted(_line, token, *, generates):
        known.asked.append(generates)
        if token not in known:
            raise BatosError("UNKNOWN_TOKEN", "no token is like this one", "`batos token ls` lists those that hold.")
        return known[token]

    monkeypatch.setattr(app, "admitted", admitted)
    return known


@pytest.fixture
def voices(bus):
    """Two personas, of which one speaks with an expert, and a base model."""
    items = [
        {"name": name, "oid": OID, "kind": kind}
        for name, kind in (("BRICK", "persona"), ("box", "object"), ("ROBIN", "persona"))
    ]
    bus.handlers["orchestrator", "list"] = lambda _: Listed(kind="names", items=items)
    bus.handlers["orchestrator", "look"] = lambda request: Looked(
        name=request.target,
        oid=OID,
        tid=TID,
        slots={"expert": "brick" if request.target == "BRICK" else None},
        parents=[],
        methods={},
    )
    bus.handlers["inference", "model"] = lambda _: BaseModelReply(
        digest="ab", source="llm_small 0.1 Small-1B.gguf bfloat16"
    )
    bus.handlers["orchestrator", "charge"] = lambda _: Charged()
    return bus


@pytest.fixture
async def url(bus, tokens, home):
    """Where the door listens."""
    told, stop = asyncio.get_running_loop().create_future(), asyncio.Event()
    running = asyncio.create_task(answering(Door(home), bound("127.0.0.1", 0), "127.0.0.1", stop, told.set_result))
    yield await told
    stop.set()
    await running


@pytest.fixture
async def client(url):
    async with openai.AsyncOpenAI(base_url=url, api_key=TOKEN, max_retries=0) as made:
        yield made
