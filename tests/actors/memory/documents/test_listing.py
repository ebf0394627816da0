"""What is remembered, page by page; and that what is forgotten has left no word behind once the world is packed."""

from __future__ import annotations

import time

import pytest

from actors.memory import catalog
from actors.memory.documents import listing
from protocol.errors import BatosError
from protocol.messages import Documents


def ids(world, **asked):
    return [view.doc_id for view in listing.listed(world.db, Documents(**asked)).documents]


def test_what_is_told_of_a_document(world):
    before = time.time()
    made = world.keep("a", "One wing.", "Two wings.", cycle="C1", source="/x")
    (view,) = listing.listed(world.db, Documents()).documents
    assert (view.doc_id, view.chunks, view.metadata) == ("a", 2, {"cycle": "C1", "source": "/x"})
    assert before <= view.created <= time.time()
    assert len(made.chunks) == 2
    assert len(view.sha256) == 64


def test_pages_by_their_beginning(world):
    for doc_id in ("/a/1", "/a/2", "/a/2//2", "/a/3", "/ab", "/b/1"):
        world.keep(doc_id, "A wing.")
    assert ids(world, beginning="/a/") == ["/a/1", "/a/2", "/a/2//2", "/a/3"]
    assert ids(world, beginning="/a/2//") == ["/a/2//2"]
    assert ids(world, after="/a/3") == ["/ab", "/b/1"]
    page = listing.listed(world.db, Documents(beginning="/a/", limit=2))
    assert ([view.doc_id for view in page.documents], page.next) == (["/a/1", "/a/2"], "/a/2")
    rest = listing.listed(world.db, Documents(beginning="/a/", limit=2, after=page.next))
    assert ([view.doc_id for view in rest.documents], rest.next) == (["/a/2//2", "/a/3"], None)
    assert ids(world, beginning="/c") == []
    assert ids(world, beginning="/a/", after="/b") == []


def test_a_page_ends_before_it_is_too_large(world, monkeypatch):
    monkeypatch.setattr(listing, "PAGE_BYTES", 1000)
    for number in range(9):
        world.keep(f"{number}", "A wing.", note="x" * 300)
    page = listing.listed(world.db, Documents())
    assert 1 <= len(page.documents) < 9
    assert page.next == page.documents[-1].doc_id


@pytest.mark.parametrize("limit", [0, 1001])
def test_a_page_has_a_size(world, limit):
    with pytest.raises(BatosError) as caught:
        listing.listed(world.db, Documents(limit=limit))
    assert caught.value.code == "BAD_ARGUMENT"


WORDS = ("quokkawort", "zylindrig", "xanthippe-7", "mnemosyne")


def test_what_is_forgotten_leaves_no_word_in_a_packed_world(world):
    said = f"{WORDS[0]} and {WORDS[1]}. {WORDS[2]}."
    world.keep("stays", "The wing of a bird.", "Feathers.", title="other")
    world.keep("goes", *said.split(". "), text=said, title=WORDS[3])
    world.keep("after", "Beaks of the birds.")
    assert all(found in world.path.read_bytes() for found in (b"quokkawort", b"mnemosyne"))
    catalog.forget(world.db, "goes")
    assert b"quokkawort" in world.path.read_bytes(), "old transactions have it until then"
    world.db.pack(time.time())
    left = world.path.read_bytes()
    stems = [*WORDS, "quokka", "zylind", "xanthipp", "mnemosyn"]
    assert [word for word in stems if word.encode() in left or word.encode("utf-16-le") in left] == []
    assert world.find("wing") == [("stays", "The wing of a bird.")]
