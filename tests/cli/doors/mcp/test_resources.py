"""Objects and documents by their addresses."""

from __future__ import annotations

import json

import pytest
from mcp.shared.exceptions import MCPError

from protocol.messages import (
    DocumentsReply,
    DocumentView,
    Listed,
    Looked,
    MethodView,
    PassagesReply,
    PassageText,
)

OID, TID = "000000000000002a", "03f1000000000001"
METHOD = MethodView(sha256="ab", author="user", source="def area_(self):\n    return 1\n", verdict="accept")


@pytest.fixture
def world(bus):
    """Two pages of objects, an object of two pages, and a document in two parts."""
    items = {None: ([{"name": "box"}], "box"), "box": ([{"name": "a b"}], None)}

    def listed(request):
        page, more = items[request.after]
        return Listed(kind="objects", items=page, next=more)

    def looked(request):
        if request.after is None:
            return Looked(name="box", oid=OID, tid=TID, slots={"width": 5}, parents=[], methods={}, next="width")
        return Looked(name="box", oid=OID, tid=TID, slots={}, parents=[], methods={"area_": METHOD})

    def documents(request):
        views = [
            DocumentView(doc_id="a/b", chunks=2, created=1.0, sha256="ab", metadata={"kind": "document"}),
            DocumentView(doc_id="a/b//2", chunks=1, created=1.0, sha256="ab", metadata={"whole": "a/b", "part": 2}),
        ]
        return DocumentsReply(documents=[view for view in views if view.doc_id.startswith(request.beginning)])

    def passages(request):
        if request.doc_id != "a/b":
            return PassagesReply(doc_id="a/b//2", metadata={}, passages=[PassageText(chunk_oid=OID, text="The end.")])
        pages = {
            0: (PassageText(chunk_oid=OID, text="One. "), 1),
            1: (PassageText(chunk_oid=OID, text="Two.", start=5), None),
        }
        passage, more = pages[request.after]
        return PassagesReply(doc_id="a/b", metadata={}, passages=[passage], next=more)

    bus.handlers["orchestrator", "list"] = listed
    bus.handlers["orchestrator", "look"] = looked
    bus.handlers["memory", "documents"] = documents
    bus.handlers["memory", "passages"] = passages
    return bus


async def read(client, uri):
    (found,) = (await client.read_resource(uri)).contents
    return json.loads(found.text) if found.mime_type == "application/json" else found.text


async def test_resources_are_listed_page_by_page(connected, world):
    async with connected() as client:
        first = await client.list_resources()
        second = await client.list_resources(cursor=first.next_cursor)
        templates = await client.list_resource_templates()
    assert [one.uri for one in first.resources] == ["batos://objects", "batos://documents", "batos://object/box"]
    assert ([one.uri for one in second.resources], second.next_cursor) == (["batos://object/a%20b"], None)
    assert [one.uri_template for one in templates.resource_templates] == [
        "batos://object/{name}",
        "batos://document/{id}",
    ]


async def test_all_of_an_object_is_read(connected, world):
    async with connected() as client:
        found = await read(client, "batos://object/box")
        assert (found["slots"], list(found["methods"]), found["next"]) == ({"width": 5}, ["area_"], None)
        assert await read(client, "batos://objects") == [{"name": "box"}, {"name": "a b"}]


async def test_the_text_of_a_document_is_read_whole(connected, world):
    async with connected() as client:
        assert await read(client, "batos://document/a%2Fb") == "One. Two.The end."
        assert [one["doc_id"] for one in await read(client, "batos://documents")] == ["a/b"]


@pytest.mark.parametrize(
    "uri", ["batos://nothing", "batos://object/", "batos://objects/box", "file:///etc/passwd", "batos://document/none"]
)
async def test_an_address_of_nothing_is_an_error_with_the_next_step(connected, world, uri):
    async with connected() as client:
        with pytest.raises(MCPError) as refused:
            await client.read_resource(uri)
    assert refused.value.error.data["hint"]
