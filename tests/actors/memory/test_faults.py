"""Whatever fails in the middle of a change, and whoever is killed: all of it is there, or nothing, and nothing is left over."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from ZODB.FileStorage import FileStorage

from actors.memory import catalog, preparing, reindexing
from actors.memory.index import sources
from actors.memory.index.view import rank
from actors.memory.reindexing import Unread
from protocol.checks.documents import check
from tests.actors.memory.conftest import MODEL, World, assert_whole, pieces

STEPS = ("tpc_begin", "store", "tpc_vote", "tpc_finish")
"""What a storage does for a commit."""


class FullDiskError(OSError):
    pass


def failing(monkeypatch, nth):
    """Let the `nth` step of all commits fail; what tells how many there were."""
    taken = []

    def patched(name, real):
        def step(self, *arguments, **more):
            taken.append(name)
            if len(taken) == nth:
                raise FullDiskError(name)
            return real(self, *arguments, **more)

        return step

    for name in STEPS[:-1]:  # a `tpc_finish` that fails has written: whoever is killed there finds it done
        monkeypatch.setattr(FileStorage, name, patched(name, getattr(FileStorage, name)))
    return taken


def rows(count):
    return np.eye(count, 8, dtype=np.float32)


def write(world, doc_id, *texts):
    document = check(doc_id, " ".join(texts), {})
    made = pieces(texts, rows(len(texts)))
    for piece in made[:-1]:
        catalog.bring(world.db, document, piece)
    return catalog.keep(world.db, document, made)[1]


def give(world):
    with_none = sources.view_at(world.db, MODEL).lacking
    found = reindexing.unread(world.db, sorted(with_none))
    return reindexing.give(world.db, [(Unread(*each), rows(len(each.texts))) for each in found], MODEL)


LARGE = ("bread one", "bread two", "bread three", "bread four", "bread five")
CHANGES = {
    "index": lambda world: write(world, "new", "bread", "butter"),
    "index a large one": lambda world: write(world, "new", *LARGE),
    "index again": lambda world: write(world, "small", "bread", "butter"),
    "index a large one in place of a large one": lambda world: write(world, "large", *LARGE),
    "unindex": lambda world: catalog.forget(world.db, "small")[1],
    "unindex a large one": lambda world: catalog.forget(world.db, "large")[1],
    "give vectors": give,
    "make zope.index's": lambda world: reindexing.fit_okapi(world.db, True),
}


@pytest.fixture
def before(world, monkeypatch):
    """A world with a small document, a large one in pieces, and one without vectors."""
    monkeypatch.setattr(preparing, "AT_ONCE", 2)
    write(world, "small", "wing", "lift")
    write(world, "large", *(f"storm {n}" for n in range(5)))
    world.keep("bare", "air", "wind", "rain")
    world.db.close()
    return world.path


def opened(before, name):
    path = before.parent / f"{name}.fs"
    shutil.copy(before, path)
    return World(path)


@pytest.mark.parametrize("name", CHANGES)
def test_a_failure_at_any_step_leaves_nothing_half_done(before, monkeypatch, name):
    fail_everywhere(before, monkeypatch, CHANGES[name])


@pytest.mark.parametrize("name", ["index again", "unindex a large one"])
def test_nor_where_zope_indexes_index_is_kept_too(before, monkeypatch, name):
    world = World(before)
    while reindexing.fit_okapi(world.db, True) is not None:
        pass
    world.db.close()
    fail_everywhere(before, monkeypatch, CHANGES[name])


def fail_everywhere(before, monkeypatch, change):
    """Let each step of the change fail in turn, in a world of its own, until it comes through."""
    nth, is_through = 0, False
    while not is_through:
        nth += 1
        world = opened(before, "tried")
        was = assert_whole(world.db)
        view = sources.view_at(world.db, MODEL)
        with monkeypatch.context() as patched:
            taken = failing(patched, nth)
            try:
                change(world)
            except FullDiskError:
                pass
            else:
                is_through = True
        world.reopen()  # a connection keeps the steps that it began with
        catalog.sweep(world.db)
        now = assert_whole(world.db)
        if not is_through:
            assert now == was
            assert view.count == len(was)
            change(world)
            catalog.sweep(world.db)
            assert_whole(world.db)
        world.db.close()
    assert nth == len(taken) + 1 > 3


@pytest.mark.parametrize("name", CHANGES)
def test_a_view_brought_forward_is_that_of_the_world(before, name):
    world = opened(before, "tried")
    view = sources.view_at(world.db, MODEL)
    changes = CHANGES[name](world)
    for change in changes if isinstance(changes, list) else [changes]:
        if hasattr(change, "gone"):
            assert change.tid > view.tid
            view = view.changed(change)
    fresh = sources.view_at(world.db, MODEL)
    assert (view.count, view.lacking) == (fresh.count, fresh.lacking)
    terms = {each: 1 for block in fresh.blocks for each in block.postings.terms.tolist()}
    one, other = (rank(each, terms, None, 0.5) for each in (view, fresh))
    assert {view.passage(number) for number in one.order} == {fresh.passage(number) for number in other.order}
    world.db.close()


def test_a_large_document_is_there_at_its_last_piece(world, monkeypatch):
    monkeypatch.setattr(preparing, "AT_ONCE", 2)
    document = check("large", " ".join(LARGE), {})
    made = pieces(LARGE)
    for piece in made[:-1]:
        catalog.bring(world.db, document, piece)
        assert (world.documents(), world.find("bread")) == ([], [])
    kept, _ = catalog.keep(world.db, document, made)
    assert [text for _, text in world.find("bread")] == list(LARGE)
    assert len(kept.chunks) == len(set(kept.chunks)) == 5
    assert_whole(world.db)


def test_what_never_came_whole_is_swept_away(world, monkeypatch):
    monkeypatch.setattr(preparing, "AT_ONCE", 2)
    assert not catalog.sweep(world.db)
    document = check("large", " ".join(LARGE), {})
    catalog.bring(world.db, document, pieces(LARGE)[0])
    world.reopen()
    assert catalog.sweep(world.db)
    assert_whole(world.db)
    for piece in pieces(LARGE)[:2]:
        catalog.bring(world.db, document, piece)
    write(world, "other", *LARGE)
    assert catalog.clear_some(world.db)
    catalog.sweep(world.db)
    assert len(assert_whole(world.db)) == 5


def test_a_large_document_is_gone_at_once_and_cleared_piece_by_piece(world, monkeypatch):
    monkeypatch.setattr(preparing, "AT_ONCE", 2)
    write(world, "large", *LARGE)
    write(world, "small", "wing", "lift")
    gone, change = catalog.forget(world.db, "large")
    assert gone.tid == change.tid.hex() == world.db.storage.lastTransaction().hex()
    assert (gone.chunks, world.documents(), world.find("bread")) == (5, ["small"], [])
    cleared = 0
    while catalog.clear_some(world.db):
        cleared += 1
    assert cleared > 2
    assert_whole(world.db)
    assert not catalog.sweep(world.db)


def test_whoever_is_killed_while_it_is_cleared_finds_it_gone_and_clears_the_rest(world, monkeypatch):
    monkeypatch.setattr(preparing, "AT_ONCE", 2)
    for doc_id in ("large", "other", "third"):
        write(world, doc_id, *LARGE)
    nth, is_through = 0, False
    while not is_through:
        nth += 1
        for doc_id in world.documents()[:1]:
            catalog.forget(world.db, doc_id)
        with monkeypatch.context() as patched:
            failing(patched, nth)
            try:
                while catalog.clear_some(world.db):
                    pass
            except FullDiskError:
                pass
            else:
                is_through = True
        world.reopen()
        assert sources.view_at(world.db, MODEL).count == len(LARGE) * len(world.documents())
    assert nth > 5
    catalog.sweep(world.db)
    assert_whole(world.db)
