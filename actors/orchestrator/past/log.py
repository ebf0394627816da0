"""`log`: the commits of the world, of one object, or of one cycle, the newest first, and what each has changed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from ZODB.Connection import Connection

from actors.orchestrator.past import kinds
from actors.orchestrator.past.changes import changed
from actors.orchestrator.past.naming import Meant, is_of
from actors.orchestrator.publish import GONE, MANDATE, MEMOS, ORIGIN, UNDOES
from protocol import codec
from protocol.errors import BatosError
from protocol.messages import Log, Logged, LoggedCommit
from world import root as world_root
from world.past import commits, moments
from world.past.commits import Commit
from world.store import Store, snapshot
from world.values import oid_of

MAX_PAGE: Final = 1000
PAGE_BYTES: Final = 4 << 20
"""A page ends where the next commit would make it larger, so that it always fits into a frame."""
MOST_OBJECTS: Final = 20
"""Objects of a commit that are shown."""
_LOOKED_THROUGH: Final = 4
"""Times as many commits as are asked for are looked through at once for an object's."""


def log(store: Store, request: Log, of: Meant | None = None) -> Logged:
    """A page of commits; `of` is the cycle that is asked for. UNKNOWN_OBJECT, BAD_ARGUMENT."""
    if not 1 <= request.limit <= MAX_PAGE:
        raise BatosError("BAD_ARGUMENT", f"a page of {request.limit} commits", f"Give 1 to {MAX_PAGE}.")
    if request.since is not None:
        moments.check(store.db, request.since)
    if request.before is not None:
        moments.check_form(request.before)
    with snapshot(store.db) as connection:
        begins = moments.first(connection)
        found = _of_object(store, connection, request) if request.object is not None else _of_all(store, request, of)
        page = list(islice((one for one in found if _is_asked(one, request, begins)), request.limit + 1))
    shown: list[LoggedCommit] = []
    weight = 0
    for one in page[: request.limit]:
        view = logged(store, one)
        weight += len(codec.pack(view))
        if shown and weight > PAGE_BYTES:
            break
        shown.append(view)
    is_all = len(shown) == len(page)
    is_packed = is_all and begins > (request.since or moments.NONE)
    return Logged(commits=shown, next=None if is_all else shown[-1].tid, begins=begins if is_packed else None)


def logged(store: Store, commit: Commit) -> LoggedCommit:
    """A commit as it is shown."""
    facts = commit.facts
    objects = changed(store.db, _beginning(commit))
    return LoggedCommit(
        tid=commit.tid,
        time=commit.time,
        by=facts.get(ORIGIN) or commit.user,
        why=commit.why,
        cycle=facts.get(kinds.CYCLE),
        mandate=facts.get(MANDATE),
        objects=[one.told() for one in objects],
        touched=None if commit.touched is None else len(commit.touched),
        documents=_documents(commit),
        undoes=kinds.listed(commit, UNDOES),
        undoable=not kinds.kind_of(commit).why_not,
    )


def _documents(commit: Commit) -> list[str]:
    """What it has written into memory, or told memory to."""
    of = commit.facts.get(kinds.DOCUMENT)
    own = [] if of is None else [of]
    return [*own, *kinds.listed(commit, MEMOS), *kinds.listed(commit, GONE)][:MOST_OBJECTS]


def _beginning(commit: Commit) -> Commit:
    """The commit with the first of its objects alone."""
    return Commit(tid=commit.tid, user=commit.user, why=commit.why, touched=(commit.touched or ())[:MOST_OBJECTS])


def _is_asked(commit: Commit, request: Log, begins: str) -> bool:
    if commit.tid < begins:  # what a pack has left of an older commit is no moment any more
        return False
    return request.every or request.object is not None or request.cycle is not None or kinds.kind_of(commit).is_shown


def _of_all(store: Store, request: Log, of: Meant | None) -> Iterator[Commit]:
    since = max(request.since or "", "" if of is None else of.since)
    found = commits.newest(store.db, since=since or None, before=request.before)
    return found if of is None else (one for one in found if is_of(one, of))


def _of_object(store: Store, connection: Connection, request: Log) -> Iterator[Commit]:
    """By the records of the object and of its slots, which know their earlier ones."""
    here = world_root.resolve(connection, str(request.object))
    oids = (oid_of(here), oid_of(here._slots))
    size, last = request.limit * _LOOKED_THROUGH, request.before
    while True:
        found = commits.of_object(store.db, oids, size)
        for one in found:
            if request.since is not None and one.tid < request.since:
                return
            if last is None or one.tid < last:
                last = one.tid
                yield one
        if len(found) < size:
            return
        size *= _LOOKED_THROUGH
