"""What is forgotten: what came of a document, to be named and to go with it; and what is older than is kept."""

from __future__ import annotations

import msgspec


class CameOf(msgspec.Struct, frozen=True, kw_only=True):
    """Say what came of the documents with these ids, whether they are still remembered or not.

    With `walk` each object of the world is looked at; without, what memory has of the mind's own, and no threads.
    """

    doc_ids: list[str]
    walk: bool = True


class DerivedMethod(msgspec.Struct, frozen=True, kw_only=True):
    """A method that was written in a cycle that was told of a document, on the object `oid`; `name` is the object's, or "".

    It `stands` there, or was one of the versions that stood there before.
    """

    oid: str
    name: str
    selector: str
    sha256: str
    stands: bool


class DerivedTurns(msgspec.Struct, frozen=True, kw_only=True):
    """So many `turns` of the thread `oid` carry an answer that came of a document, or cite one."""

    oid: str
    name: str
    turns: int


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """What came of `documents`, and of what came of those, and so on.

    `answers` are documents by their ids: answers, notes and failures, and methods as memory has them. `proposals` are those whose
    method came of it. `mandates` were told a passage of one of these documents, as far back as the journal goes. `unknown` are answers, and methods as `name.selector`, of which nobody can say any more what they came of.
    """

    documents: list[str]
    answers: list[str] = []
    methods: list[DerivedMethod] = []
    proposals: list[str] = []
    threads: list[DerivedTurns] = []
    mandates: list[str] = []
    unknown: list[str] = []


class ForgetDerived(msgspec.Struct, frozen=True, kw_only=True, tag="forget"):
    """Forget what came of documents, as it was named: `derived` is the answer to `CameOf`.

    The answers go from memory, the methods from their objects with the versions that came of it, the turns from their threads.
    """

    derived: Lineage


class ForgottenDerived(msgspec.Struct, frozen=True, kw_only=True):
    """What of `derived` was there to be forgotten. `tid` is None where nothing was."""

    derived: Lineage
    tid: str | None = None


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """Forget what is older than `keep` (such as `30d`; None: as configured). Without `really`, only say what would go."""

    keep: str | None = None
    really: bool = False


class PackedWorld(msgspec.Struct, frozen=True, kw_only=True):
    """No moment before `before` (Unix time) can be looked at any more. The sizes are the file's, in bytes."""

    before: float
    bytes_before: int
    bytes_after: int


class PackedJournal(msgspec.Struct, frozen=True, kw_only=True):
    """`mandates` counts those that are forgotten with their keys, since they were too many; `bodies` those that ended before `before`
    (Unix time), and of whose messages, ends and candidates only the digests stand.
    """

    before: float
    mandates: int
    bodies: int = 0
    bytes_before: int
    bytes_after: int


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """What was forgotten, or would be, of the world's history and of the journal."""

    world: PackedWorld
    journal: PackedJournal
