"""A document under another id: nothing of it is written again but its record, and everybody finds it there."""

from __future__ import annotations

import numpy as np
import pytest

from actors.memory import catalog
from actors.memory.documents import moving
from actors.memory.index import sources
from protocol.checks.documents import check
from tests.actors.memory.conftest import MODEL, pieces
from world.memory.documents import WITHIN
from world.store import snapshot

TEXT = "One wing of a bird. Two feathers."


@pytest.fixture
def kept(world):
    world.keep("stays", "A beak.")
    return world.keep("old", "One wing of a bird.", "Two feathers.", text=TEXT, source="old", title="Birds")


def moved(world, doc_id="new", text=TEXT, was="old", **metadata):
    return moving.move(world.db, check(doc_id, text, metadata), was, MODEL)


def test_it_is_found_under_its_new_id_and_its_passages_are_the_same_objects(world, kept):
    found, _ = moved(world, source="new", title="Birds", file_sha256="00")
    assert found.chunks == kept.chunks
    assert world.documents() == ["new", "stays"]
    assert {hit.doc_id for hit in world.hits("wing feathers")} == {"new"}
    assert world.hits("wing")[0].metadata == {"source": "new", "title": "Birds", "file_sha256": "00"}
    document = check("new", TEXT, {"source": "new", "title": "Birds", "file_sha256": "00"})
    assert catalog.known(world.db, document).chunks == kept.chunks


def test_the_view_that_is_brought_forward_is_the_one_that_would_be_read(world, kept):
    before = sources.view_at(world.db, b"")
    _, change = moved(world, source="new", title="Birds")
    after, fresh = before.changed(change), sources.view_at(world.db, b"")
    assert after.tid == fresh.tid
    assert after.count == fresh.count == 3
    living = [[each.passage(n) for n in np.flatnonzero(each.alive)] for each in (after, fresh)]
    assert sorted(living[0]) == sorted(living[1])


@pytest.mark.parametrize("passages", [WITHIN, WITHIN + 1])
def test_its_vectors_move_with_it_wherever_they_stand_but_not_those_of_another_model(world, passages):
    texts = [f"Feather {n}." for n in range(passages)]
    rows = np.eye(passages, dtype=np.float32)
    catalog.keep(world.db, check("old", TEXT, {}), pieces(texts, rows))
    before = sources.view_at(world.db, MODEL)
    _, change = moved(world)
    after = before.changed(change)
    assert not after.lacking
    assert (after.vector(passages - 1) == rows[-1]).all()
    _, change = moving.move(world.db, check("newer", TEXT, {}), "new", b"another!")
    assert after.changed(change).lacking == {change.gone}


@pytest.mark.parametrize(
    "asked",
    [
        {"text": "Another text.", "title": "Birds"},
        {"title": "Fish"},
        {"title": "Birds", "format": "code"},
        {"title": "Birds", "was": "nobody"},
        {"title": "Birds", "doc_id": "stays"},
    ],
)
def test_another_text_another_reading_or_a_taken_id_is_no_move(world, kept, asked):
    with snapshot(world.db) as connection:
        before = connection.root()["knowledge_catalog_obj"].documents["old"]._p_serial
    assert moved(world, **asked) is None
    with snapshot(world.db) as connection:
        assert connection.root()["knowledge_catalog_obj"].documents["old"]._p_serial == before
    assert world.documents() == ["old", "stays"]


def test_it_can_be_forgotten_after_that(world, kept):
    moved(world, title="Birds")
    catalog.forget(world.db, "new")
    assert world.find("wing") == []
