"""Whose a document is, told by what memory writes and no origin does."""

from __future__ import annotations

import pytest

from actors.memory.documents.owning import check_own
from protocol.checks.documents import BY, check, signed
from protocol.errors import BatosError
from protocol.origin import Origin

AGENT = Origin(kind="mcp", name="claude-code", rights=["ask", "send"])
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
