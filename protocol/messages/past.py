"""The world's history: which commits there were, what two moments differ in, and what is taken back.

A moment is a transaction's id (16 hex digits), and means the world as it was right after it. What is taken back is carried out as
a mandate (`Mandate.hand`), published in one transaction or not at all.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from protocol.codec import Value

How = Literal["new", "changed", "gone"]


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """Commits, the newest first: at most `limit`, from the moment `since` on, and before the moment `before` alone.

    Of an `object` (a name or an OID), or of a `cycle` (its id, that of its mandate, or a beginning of either). Without `every`, those are
    left out that are the system's own bookkeeping: a cycle that begins, a line of the outbox.
    """

    object: str | None = None
    since: str | None = None
    before: str | None = None
    cycle: str | None = None
    limit: int = 20
    every: bool = False


class ChangedSlot(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of a slot; `is_method` where a method stands or stood in it."""

    slot: str
    how: How
    is_method: bool = False


class ChangedObject(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit has done to an object: `name` is the one that it had after that, `was` another one that it had before."""

    oid: str
    name: str
    how: How
    was: str = ""
    slots: list[ChangedSlot] = []


class LoggedCommit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit: by whom (`by`: `user:lena`, `mcp:claude-code`, `awakening`), of which cycle and mandate, and why.

    `objects` are at most the first few of `touched` ones; `documents` are those that were remembered or forgotten. `undoes` are the
    transactions that it took back. `undoable` says whether it is of a kind that can be taken back.
    """

    tid: str
    time: float
    by: str
    why: str
    cycle: str | None = None
    mandate: str | None = None
    objects: list[ChangedObject] = []
    touched: int | None = None
    documents: list[str] = []
    undoes: list[str] = []
    undoable: bool = False


class Logged(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is the `before` of the page after this one. `begins` is the moment before which all was packed away, where that is why it ends."""

    commits: list[LoggedCommit]
    next: str | None = None
    begins: str | None = None


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """What the world at the moment `b` has other than at `a`: at most `limit` objects, after the one with the OID `after`."""

    a: str
    b: str
    object: str | None = None
    after: str | None = None
    limit: int = 100


class SlotDiff(msgspec.Struct, frozen=True, kw_only=True):
    """A data slot at both moments; what is not there is None, as what holds None is: `how` tells them apart."""

    slot: str
    how: How
    before: Value = None
    after: Value = None


class MethodDiff(msgspec.Struct, frozen=True, kw_only=True):
    """A method at both moments, by its sha256, and the unified diff of its sources."""

    selector: str
    how: How
    before: str | None = None
    after: str | None = None
    author: str = ""
    diff: str = ""


class ObjectDiff(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` is `object`, `persona`, `expert` or `root`; `was` is another name that it had at `a`."""

    oid: str
    name: str
    kind: str
    how: How
    was: str = ""
    slots: list[SlotDiff] = []
    methods: list[MethodDiff] = []


class DocumentDiff(msgspec.Struct, frozen=True, kw_only=True):
    doc_id: str
    how: How


class DiffReply(msgspec.Struct, frozen=True, kw_only=True):
    """`names` are those of the objects that values refer to, by OID. `documents` stand on the first page alone."""

    a: str
    b: str
    objects: list[ObjectDiff]
    documents: list[DocumentDiff] = []
    names: dict[str, str] = {}
    next: str | None = None


class PlanUndo(msgspec.Struct, frozen=True, kw_only=True):
    """Take back what the commit `what` did: a transaction's id, the id of a cycle or a mandate, or `last`.

    With `cascade`, take back what came to stand on it too, the newest first. A `dry_run` only says what would be.
    """

    what: str
    cascade: bool = False
    dry_run: bool = False


class PlanRewind(msgspec.Struct, frozen=True, kw_only=True):
    """Take back everything since the moment `to` that can be taken back."""

    to: str
    dry_run: bool = False


class Undo(msgspec.Struct, frozen=True, kw_only=True, tag="undo"):
    """Take back the commits `tids`; what else stands on them too, with `cascade`."""

    tids: list[str]
    cascade: bool = False


class Rewind(msgspec.Struct, frozen=True, kw_only=True, tag="rewind"):
    """Let what a person and the mind have written since the moment `to` be as it was then."""

    to: str


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """Why the commit `tid` is not taken back: the `slot` of `object` has changed since, by the commit `by` where that is known."""

    tid: str
    object: str
    slot: str
    by: str = ""
    why: str = ""


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken back, or would be: the transactions `undone`, the newest first.

    `objects` says what becomes of which, `depends` what stands on what goes, `forgets` the documents that memory has of it and
    loses, `left` what stays, since it is taken back otherwise: documents, experts. `tid` is None where nothing was written.
    """

    undone: list[str] = []
    blocked: list[Blocked] = []
    objects: list[ChangedObject] = []
    depends: list[str] = []
    forgets: list[str] = []
    left: list[str] = []
    tid: str | None = None
