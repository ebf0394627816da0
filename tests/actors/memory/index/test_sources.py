"""What stands in the world is read for the view in few journeys."""

from __future__ import annotations

from ZODB.Connection import Connection

from actors.memory.index import sources
from tests.actors.memory.conftest import MODEL
from world.store import snapshot


def leaves(documents):
    leaf = documents.__getstate__()[1]
    while leaf is not None:
        yield leaf._p_oid
        state = leaf.__getstate__()
        leaf = state[1] if len(state) > 1 else None


def test_all_leaves_of_the_names_are_asked_for_before_they_are_read(world, monkeypatch):
    for number in range(200):
        world.keep(f"d{number}", f"wing {number}")
    with snapshot(world.db) as connection:
        expected = set(leaves(connection.root()["knowledge_catalog_obj"].documents))
    asked = []
    monkeypatch.setattr(Connection, "prefetch", lambda _self, *args: asked.extend(each._p_oid for each in args[0]))
    assert sources.view_at(world.db, MODEL).count == 200
    assert len(expected) > 16
    assert expected < set(asked)
    assert len(asked) == len(set(asked))
