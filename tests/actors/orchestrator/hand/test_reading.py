"""Lists of what the world holds: in the order of names, page by page, and without a write."""

from __future__ import annotations

import pytest

from actors.orchestrator import views
from actors.orchestrator.hand import reading
from protocol.errors import BatosError
from protocol.messages import List, New
from world.store import commit
from world.uvm import UvmObject

AREA = "def area_(self):\n    return self.width * self.height\n"
UP = "def up_(self, by):\n    return by\n"


@pytest.fixture
async def filled(house, hand):
    house.new("box", width=5, height=6)
    views.create(house.store, New(name="crate", parent="box"))
    house.new("pen")
    await hand.define("box", f"{AREA}\n{UP}")
    await hand.define("pen", UP)
    await hand.define("BRICK", UP)
    with commit(house.db, user="test", description="as inference and memory write them") as connection:
        root = connection.root()
        for name in ("a", "b"):
            root["pLLM_obj"].lora_repository[name] = UvmObject(name, sha256=f"{name}0", bytes=7, files={})
            root["knowledge_catalog_obj"].documents[f"{name}.txt"] = UvmObject(chunks=[1, 2], sha256="c0", metadata={})
    return house


def pages(house, kind, limit):
    after, items = None, []
    while True:
        page = reading.listed(house.store, List(kind=kind, after=after, limit=limit))
        assert len(page.items) <= limit
        items += page.items
        if page.next is None:
            return items
        after = page.next


@pytest.mark.parametrize("kind", ["objects", "methods", "documents", "experts", "names"])
async def test_every_item_is_on_one_page_whatever_the_size_of_the_pages(filled, kind):
    before = filled.db.lastTransaction()
    whole = pages(filled, kind, 1000)
    assert len(whole) > 1
    assert [pages(filled, kind, limit) for limit in (1, 2, 3)] == [whole] * 3
    assert filled.db.lastTransaction() == before


async def test_a_document_in_parts_is_one_item_unless_only_a_part_of_it_came(filled):
    with commit(filled.db, user="test", description="as memory writes them") as connection:
        documents = connection.root()["knowledge_catalog_obj"].documents
        for doc_id, said in (
            ("a.txt", {"parts": 3}),
            ("a.txt//2", {"whole": "a.txt"}),
            ("a.txt//3", {"whole": "a.txt"}),
        ):
            documents[doc_id] = UvmObject(chunks=[1, 2], sha256="c0", metadata=said)
        documents["c.txt//2"] = UvmObject(chunks=[1], sha256="c1", metadata={"whole": "c.txt"})
    told = [(one["doc_id"], one["chunks"]) for one in pages(filled, "documents", 2)]
    assert told == [("a.txt", 6), ("b.txt", 2), ("c.txt//2", 1)]


async def test_objects_and_methods_are_told_with_what_they_have(filled):
    assert [(one["name"], one["slots"], one["methods"], one["parents"]) for one in pages(filled, "objects", 9)] == [
        ("box", 2, 2, ["traits_obj"]),
        ("crate", 0, 0, ["box"]),
        ("pen", 0, 1, ["traits_obj"]),
    ]
    assert [f"{one['name']}.{one['selector']}" for one in pages(filled, "methods", 9)] == [
        "BRICK.up_",
        "box.area_",
        "box.up_",
        "pen.up_",
    ]


async def test_names_documents_and_experts(filled):
    kinds = {one["name"]: one["kind"] for one in pages(filled, "names", 9)}
    assert (kinds["box"], kinds["BRICK"], kinds["traits_obj"]) == ("object", "persona", "root")
    assert list(kinds) == sorted(kinds)
    assert pages(filled, "documents", 9)[0] == {"doc_id": "a.txt", "chunks": 2, "sha256": "c0"}
    assert pages(filled, "experts", 9)[0] == {"name": "a", "sha256": "a0", "bytes": 7}


@pytest.mark.parametrize("request_", [List(kind="things"), List(limit=0), List(limit=1001)])
async def test_what_cannot_be_listed_says_why(house, request_):
    with pytest.raises(BatosError) as caught:
        reading.listed(house.store, request_)
    assert (caught.value.code, bool(caught.value.hint)) == ("BAD_ARGUMENT", True)
