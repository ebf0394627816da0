"""Whose a document is, told by what memory writes and no origin does."""

from __future__ import annotations

import pytest

from actors.memory.documents.owning import check_own
from bus.stub import StubBus
from protocol import verbs
from protocol.checks.documents import BY, check, signed
from protocol.errors import BatosError
from protocol.messages import Index, Search
from protocol.origin import Origin
from tests.actors.memory.test_actor import ask, bus_of, commits

AGENT = Origin(kind="mcp", name="claude-code", rights=["ask", "send"])
OTHER = Origin(kind="mcp", name="other", rights=["ask", "send"])
ABLE = Origin(kind="mcp", name="able", rights=["ask", "send", "install"])


@pytest.fixture
def kept(world):
    world.keep("users", "Of the user.")
    world.keep("agents", "Of the agent.", **{BY: AGENT.label})


def allowed(world, origin, doc_id, was="", **metadata):
    try:
        check_own(world.db, origin, check(doc_id, "A text.", signed(metadata, origin)), was)
    except BatosError as error:
        return error.code != "NOT_ALLOWED"
    return True


@pytest.mark.parametrize(
    ("doc_id", "rest", "expected"),
    [
        ("new", {}, True),
        ("agents", {}, True),
        ("users", {}, False),
        ("new", {"was": "agents"}, True),
        ("new", {"was": "users"}, False),
        ("new", {"was": "nothing"}, True),
        ("agents//2", {}, True),
        ("users//2", {}, False),
        ("nothing//2", {}, False),
        ("users//annex", {"whole": "users"}, False),
        ("https://example.com/users", {}, True),
    ],
)
def test_an_agent_adds_and_changes_its_own(world, kept, doc_id, rest, expected):
    assert allowed(world, AGENT, doc_id, **rest) is expected
    assert allowed(world, ABLE, doc_id, **rest)
    assert allowed(world, None, doc_id, **rest)


def test_what_an_origin_says_of_itself_is_not_believed():
    assert signed({BY: "mcp:other", "kind": "note"}, AGENT) == {BY: "mcp:claude-code", "kind": "note"}
    assert signed({BY: "mcp:other"}, None) == {BY: "mcp:other"}


@pytest.mark.model
async def test_an_agent_changes_and_moves_only_what_it_had_remembered_itself(start):
    memory = await start()
    agent, other = (StubBus(bus_of(memory).handlers, origin=origin) for origin in (AGENT, OTHER))

    async def told(bus, doc_id, text, **rest):
        return await bus.call(verbs.INDEX, Index(doc_id=doc_id, text=text, **rest), seconds=30)

    async def refused(bus, doc_id, text, **rest):
        with pytest.raises(BatosError) as caught:
            await told(bus, doc_id, text, **rest)
        assert (caught.value.code, caught.value.data["right"]) == ("NOT_ALLOWED", "install")

    user = bus_of(memory)
    await told(user, "plan", "The bridge is closed.")
    await refused(agent, "plan", "The bridge is open.")
    await refused(agent, "plan", "The bridge is open.", metadata={"remembered_by": "mcp:claude-code"})
    await refused(agent, "mine", "The bridge is closed.", was="plan")
    await refused(agent, "plan//2", "It opens at noon.", metadata={"whole": "plan", "part": 2})
    await told(agent, "notes", "A first note.", metadata={"remembered_by": "user:lena"})
    await refused(other, "notes", "Another note.")
    assert (await told(agent, "notes", "A second note.")).tid is not None
    assert (await told(agent, "notes", "A second note.")).tid is None
    await told(agent, "moved", "A second note.", was="notes")
    (hit,) = (await ask(memory, "search", Search(query="second note", top_k=1))).hits
    assert (hit.doc_id, hit.metadata) == ("moved", {"remembered_by": "mcp:claude-code"})
    assert await commits(memory) == ["index plan", "index notes", "index notes", "move notes to moved"]
    await told(user, "moved", "What the user says.")
    await refused(agent, "moved", "Not any more.")
