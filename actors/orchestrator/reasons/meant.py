"""What is meant by the words of `why`: a method, a mandate or a cycle, or a document; an error where it is several, or nothing."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from ZODB.Connection import Connection

from actors.orchestrator.journal.journal import Journal, MandateRow
from actors.orchestrator.reasons.rethinking import row_of
from protocol import names
from protocol.errors import BatosError
from world import history
from world import root as world_root
from world.nearest import in_tree, nearest
from world.store import Store, snapshot
from world.uvm import UvmObject, lookup
from world.values import oid_of

KINDS: Final = ("method", "mandate", "document")


class HeldMethod(NamedTuple):
    """A method is meant, that stands on `holder` (an OID) or stood there."""

    holder: str
    selector: str


class Meant(NamedTuple):
    """One of these is meant."""

    method: HeldMethod | None = None
    row: MandateRow | None = None
    doc_id: str | None = None


async def meant(store: Store, journal: Journal, what: str, kind: str) -> Meant:
    """What `what` names, of that `kind` where one is given. BAD_ARGUMENT where it may be several."""
    if kind and kind not in KINDS:
        raise BatosError("BAD_ARGUMENT", f"{kind[:40]!r} is no kind of thing", f"Kinds: {', '.join(KINDS)}.")
    wanted = (kind,) if kind else KINDS
    found: dict[str, Meant] = {}
    failures: list[BatosError] = []

    def in_world() -> None:
        with snapshot(store.db) as connection:
            try:
                if "method" in wanted and (kind or "." in what):
                    found["method"] = Meant(method=_method(connection, what))
            except BatosError as error:
                # A file's name has a dot too, and is no selector.
                if kind or error.code != "UNKNOWN_OBJECT" or what.endswith("_"):
                    failures.append(error)
            if "document" in wanted and (doc_id := _document(connection, what)) is not None:
                found["document"] = Meant(doc_id=doc_id)
            elif kind == "document" or not failures:
                failures.append(_unknown(connection, what, kind))

    await store.read(in_world)
    if "mandate" in wanted and (kind or not found):
        try:
            found["mandate"] = Meant(row=await journal.run(lambda: row_of(journal, what), durable=False))
        except BatosError as error:
            failures = [error] if kind or error.code != "UNKNOWN_CYCLE" else failures
    if len(found) > 1:
        raise BatosError(
            "BAD_ARGUMENT",
            f"{what[:100]!r} is a {' and a '.join(found)}",
            f"Say which: --as {' or --as '.join(found)}.",
        )
    if not found:
        raise failures[0]
    return next(iter(found.values()))


def _method(connection: Connection, what: str) -> HeldMethod:
    name, _, selector = what.rpartition(".")
    here = world_root.resolve(connection, name)
    names.check_selector(selector)
    found = lookup(here, selector)
    holder: UvmObject = here if found is None else found.holder
    if not history.versions(holder, selector):
        raise BatosError(
            "UNKNOWN_METHOD",
            f"{name} has and had no method {selector[:100]}",
            f"`batos history {name}` lists what it has and had.",
        )
    return HeldMethod(oid_of(holder), selector)


def document(connection: Connection, doc_id: str) -> Any:
    """The record of a document; None for none."""
    return connection.root()["knowledge_catalog_obj"].documents.get(doc_id)


def _document(connection: Connection, what: str) -> str | None:
    found = document(connection, what)
    return None if found is None else str(found.doc_id)


def _unknown(connection: Connection, what: str, kind: str) -> BatosError:
    if kind == "document":
        near = nearest(in_tree(connection.root()["knowledge_catalog_obj"].documents), what)
        hint = f"Did you mean {', '.join(near)}?" if near else "`batos ls documents` lists what is remembered."
        return BatosError("UNKNOWN_DOCUMENT", f"no document is called {what[:200]!r}", hint)
    return BatosError(
        "BAD_ARGUMENT",
        f"{what[:200]!r} is no method, no mandate or cycle, and no document",
        "Name a method as NAME.SELECTOR, a mandate or cycle by its id (`batos cycle ls`, `batos log`), or a document"
        " (`batos ls documents`).",
    )
