"""What an agent may read without a tool: the objects and the documents of the world, each under an address of its own."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import quote, unquote

from mcp_types import ListResourcesResult, ReadResourceResult, Resource, ResourceTemplate, TextResourceContents

from batos.line import Line
from cli import values
from cli.calls import mandate
from cli.calls.documents import wholes
from protocol import verbs
from protocol.checks import documents
from protocol.errors import BatosError
from protocol.messages import Documents, List, Look, Passages

SCHEME: Final = "batos://"
JSON: Final = "application/json"
_KINDS: Final = {"objects": verbs.LIST, "documents": verbs.DOCUMENTS}
_FIXED: Final = (
    Resource(
        uri=f"{SCHEME}objects",
        name="objects",
        title="All objects",
        description="The names of all objects, with how many slots and methods each has.",
        mime_type=JSON,
    ),
    Resource(
        uri=f"{SCHEME}documents",
        name="documents",
        title="All documents",
        description="The ids of all documents that are remembered, with their metadata.",
        mime_type=JSON,
    ),
)
TEMPLATES: Final = (
    ResourceTemplate(
        uri_template=f"{SCHEME}object/{{name}}",
        name="object",
        title="One object",
        description="Its slots, the objects that it delegates to, and its methods with their sources.",
        mime_type=JSON,
    ),
    ResourceTemplate(
        uri_template=f"{SCHEME}document/{{id}}",
        name="document",
        title="One document",
        description="The text of a document that is remembered; a slash in its id is written %2F.",
        mime_type="text/plain",
    ),
)


async def listed(line: Line, cursor: str | None) -> ListResourcesResult:
    """A page: what is fixed, then the objects by their names."""
    page = await line.ask(verbs.LIST, List(kind="objects", after=cursor))
    names = [str(item["name"]) for item in page.items]
    made = [Resource(uri=f"{SCHEME}object/{quote(name)}", name=name, mime_type=JSON) for name in names]
    return ListResourcesResult(resources=[*(_FIXED if cursor is None else ()), *made], next_cursor=page.next)


async def read(line: Line, uri: str) -> ReadResourceResult:
    """What stands under an address; BAD_ARGUMENT for one of another form."""
    kind, _, rest = uri.removeprefix(SCHEME).partition("/")
    name = unquote(rest)
    if not uri.startswith(SCHEME) or bool(name) != (kind in {"object", "document"}):
        kind = ""
    match kind:
        case "objects":
            text = await _objects(line)
        case "documents":
            text = await _documents(line)
        case "object":
            text = await _object(line, name)
        case "document":
            found = TextResourceContents(uri=uri, mime_type="text/plain", text=await _document(line, name))
            return ReadResourceResult(contents=[found])
        case _:
            forms = ", ".join([*(each.uri for each in _FIXED), *(each.uri_template for each in TEMPLATES)])
            raise BatosError("BAD_ARGUMENT", f"{uri[:200]!r} is no resource", f"There are {forms}.")
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=JSON, text=text)])


async def _objects(line: Line) -> str:
    after, items = None, []
    while True:
        page = await line.ask(verbs.LIST, List(kind="objects", after=after))
        items += page.items
        if page.next is None:
            return json.dumps(values.to_json(items))
        after = page.next


async def _object(line: Line, name: str) -> str:
    page = await line.ask(verbs.LOOK, Look(target=mandate.check_target(name)))
    found = values.to_json(page)
    while page.next is not None:
        page = await line.ask(verbs.LOOK, Look(target=page.oid, after=page.next))
        more = values.to_json(page)
        found["slots"] |= more["slots"]
        found["methods"] |= more["methods"]
    found["next"] = None
    return json.dumps(found)


async def _documents(line: Line) -> str:
    after, views = None, []
    while True:
        page = await line.ask(verbs.DOCUMENTS, Documents(after=after))
        views += page.documents
        if page.next is None:
            return json.dumps(values.to_json([document.told() for document in wholes.wholes(views).values()]))
        after = page.next


async def _document(line: Line, doc_id: str) -> str:
    """The passages of all parts, each where it began, with an empty line where there is something between two."""
    documents.check_id(doc_id)
    whole = await wholes.kept_as(line, doc_id)
    if whole is None:
        raise BatosError(
            "UNKNOWN_DOCUMENT", f"no document is called {doc_id[:200]!r}", f"{SCHEME}documents lists them."
        )
    pieces: list[str] = []
    for part in whole.parts:
        end, after = 0, 0
        while True:
            page = await line.ask(verbs.PASSAGES, Passages(doc_id=part.doc_id, after=after))
            for passage in page.passages:
                pieces.append("\n\n" if pieces and passage.start > end else "")
                pieces.append(passage.text[max(0, end - passage.start) :])
                end = max(end, passage.start + len(passage.text))
            if page.next is None:
                break
            after = page.next
    return "".join(pieces)
