"""What was forgotten, as the world's file tells: which documents, methods and proposals, and which records have anything of them.

It is known by identity, not by how it reads. A document was forgotten in the transaction that cleared its record without another
document in its place; what stood under its id before goes with it, and so do its passages. A method, where a version of it says that it
is `gone`, and a proposal that is marked so, were forgotten with what they came of. Of a mandate that was told of any of it, or has left
it in memory, nothing that it was answered is kept: the journal says which those are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from actors.storage.purge.reading import State, class_of, data_at, items_of, oid_in, state_of, transactions
from protocol import names

DOCUMENT: Final = "world.memory.Document"
PASSAGE: Final = "world.memory.Passage"
PIECE: Final = "world.memory.Piece"
METHOD: Final = "world.method.UvmMethod"
VERSION: Final = "world.history.UvmVersion"
PROPOSAL: Final = "world.history.UvmProposal"
MAPPING: Final = "persistent.mapping.PersistentMapping"
LIST: Final = "persistent.list.PersistentList"
CONTAINERS: Final = frozenset({MAPPING, LIST})
READ: Final = frozenset({DOCUMENT, PASSAGE, PIECE, METHOD, VERSION, PROPOSAL, MAPPING, LIST})
_FORGOTTEN: Final = "forgotten"
FORGOTTEN_TEXT: Final = "# This text was forgotten for good.\n"
"""What a method says whose text was taken away."""
_QUESTION: Final = 1000
"""Characters of a question that a turn of a thread keeps."""


@dataclass(slots=True)
class Seen:
    """What the file has of the objects that may hold something of a document, through all of its past, by OID.

    `classes` says what an object is, `holds` to which others any record of it refers, `lines` the ids of documents in lines of the
    outbox, and `ids` a document's last id: "" where it was cleared; `moved` leads from an id to the one that it was given up for. `passages` are those of a document, `texts` what was forgotten may read
    as, `turns` the questions of a thread, with the list of what their answers cite, `questions` what an answer in memory answers, and `mandates` the mandate of a cycle's context. `fathers`
    has the mandate that a document came from.
    """

    classes: dict[bytes, str] = field(default_factory=dict)
    holds: dict[bytes, dict[bytes, None]] = field(default_factory=dict)
    lines: dict[bytes, str] = field(default_factory=dict)
    ids: dict[bytes, str] = field(default_factory=dict)
    borne: dict[str, dict[bytes, None]] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    passages: dict[bytes, dict[bytes, None]] = field(default_factory=dict)
    texts: dict[bytes, dict[str, None]] = field(default_factory=dict)
    turns: dict[bytes, tuple[str, bytes]] = field(default_factory=dict)
    lists: dict[bytes, tuple[str, ...]] = field(default_factory=dict)
    questions: dict[bytes, str] = field(default_factory=dict)
    mandates: dict[bytes, str] = field(default_factory=dict)
    fathers: dict[bytes, str] = field(default_factory=dict)
    replies: dict[bytes, bytes] = field(default_factory=dict)
    gone: dict[bytes, None] = field(default_factory=dict)
    versions: dict[bytes, None] = field(default_factory=dict)
    withdrawn: dict[bytes, None] = field(default_factory=dict)
    forgotten: dict[bytes, str] = field(default_factory=dict)

    def documents(self) -> list[str]:
        """The ids of the documents that were forgotten and are not remembered again."""
        live = {doc_id for doc_id in self.ids.values() if doc_id}
        return sorted({doc_id for doc_id in self.forgotten.values() if doc_id not in live})

    def remembered(self) -> list[str]:
        """The ids of the documents that stand, those too under which they stood before."""
        live = {doc_id for doc_id in self.ids.values() if doc_id}
        for before in self.moved:
            now, seen = before, set[str]()
            while now in self.moved and now not in seen:
                seen.add(now)
                now = self.moved[now]
            if now in live:
                live.add(before)
        return sorted(live)

    def senders(self) -> list[str]:
        """The mandates that have left what was forgotten in memory."""
        return sorted({self.fathers[oid] for oid in self.forgotten if oid in self.fathers})


def look(file: BinaryIO) -> Seen:
    """Read all of the file."""
    seen = Seen()
    for transaction in transactions(file):
        cleared, written = {}, set()
        for entry in transaction.entries:
            data = entry.data or data_at(file, entry.back)
            of = class_of(data)
            if of not in READ:
                continue
            seen.classes[entry.oid] = of
            try:
                state = state_of(data)
            except Exception:  # noqa: BLE001, S112 - whatever a damaged pickle makes its reader say; `--check` tells of it
                continue
            if of == DOCUMENT:
                before = seen.ids.get(entry.oid, "")
                now = _document(seen, entry.oid, state)
                if now:
                    written.add(now)
                elif before:
                    cleared[entry.oid] = before
            else:
                _READERS[of](seen, entry.oid, state)
        for oid, doc_id in cleared.items():
            if doc_id not in written:
                _forget(seen, oid, doc_id)
    if not seen.gone:
        # What memory knows of a method goes when the method is taken back or dropped, and nobody has forgotten anything then.
        seen.forgotten = {oid: id_ for oid, id_ in seen.forgotten.items() if not id_.startswith(names.METHOD_DOC)}
    return seen


def records_of(seen: Seen, mandates: Iterable[str]) -> dict[bytes, None]:
    """The OIDs of all records that hold what was forgotten, where nobody needs any of them: see `left` in `purging`."""
    ids, told = set(seen.documents()), set(mandates)
    found: dict[bytes, None] = {}
    for document in seen.forgotten:
        parts = [oid for oid in seen.holds.get(document, ()) if seen.classes.get(oid) == PIECE]
        found.update(dict.fromkeys([document, *parts, *seen.passages.get(document, ())]))
        found.update(dict.fromkeys(oid for part in parts for oid in seen.holds.get(part, ()) if _is_part(seen, oid)))
    whole = list(lines_of(seen))
    questions = {seen.questions[oid][:_QUESTION] for oid in seen.forgotten if oid in seen.questions}
    for oid, (question, cited) in seen.turns.items():
        if question in questions or not ids.isdisjoint(seen.lists.get(cited, ())):
            whole.append(oid)
    whole += [oid for oid, mandate in seen.mandates.items() if mandate in told]
    whole += [*seen.gone, *seen.withdrawn]
    whole += [oid for one in seen.withdrawn for oid in seen.holds.get(one, ()) if seen.classes.get(oid) == METHOD]
    for oid in whole:
        found.update(dict.fromkeys(_with_containers(seen, oid)))
    found.update(seen.versions)
    return found


def lines_of(seen: Seen) -> set[bytes]:
    """The lines of the outbox that are about what was forgotten, with all that stands in them: memory has read them."""
    ids = set(seen.documents())
    return {one for oid, doc_id in seen.lines.items() if doc_id in ids for one in _with_containers(seen, oid)}


def replies_of(seen: Seen, mandates: Iterable[str]) -> dict[bytes, str]:
    """The entries in `applied` that have the answer to one of these mandates, which it names itself."""
    named = {mandate.encode(): mandate for mandate in mandates}
    found: dict[bytes, str] = {}
    for oid, reply in seen.replies.items():
        of = next((mandate for name, mandate in named.items() if name in reply), None)
        if of is not None:
            found[oid] = of
    return found


def _with_containers(seen: Seen, oid: bytes) -> list[bytes]:
    """An object, and the lists and dicts that stand in it alone."""
    found: dict[bytes, None] = {}
    todo = [oid]
    while todo:
        one = todo.pop()
        if one not in found:
            found[one] = None
            todo += [held for held in seen.holds.get(one, ()) if seen.classes.get(held) in CONTAINERS]
    return list(found)


def _is_part(seen: Seen, oid: bytes) -> bool:
    return seen.classes.get(oid) == PASSAGE


def _forget(seen: Seen, oid: bytes, doc_id: str) -> None:
    """A document was forgotten, with all that stood under its id; what never came whole beside one that stands goes alone."""
    others = seen.borne.get(doc_id, {})
    stands = any(seen.ids.get(other) for other in others)
    for one in [oid] if stands else [oid, *others]:
        seen.forgotten[one] = doc_id
    if not stands:
        seen.borne.pop(doc_id, None)


def _document(seen: Seen, oid: bytes, state: State) -> str:
    doc_id, _sha256, held, *_ = state.value
    before = seen.ids.get(oid, "")
    seen.ids[oid] = doc_id
    _hold(seen, oid, state)
    if doc_id:
        if before and before != doc_id:  # moved, with what stood under its name before it
            seen.borne.setdefault(doc_id, {}).update(seen.borne.pop(before, {}))
            seen.moved[before] = doc_id
        seen.borne.setdefault(doc_id, {})[oid] = None
        if isinstance(held, dict):
            if isinstance(mandate := held.get("mandate"), str):
                seen.fathers[oid] = mandate
            if isinstance(question := held.get("question"), str):
                seen.questions[oid] = question
            if isinstance(source := held.get("source"), str) and held.get("kind") == "method":
                _read(seen, oid, source)
    return str(doc_id)


def _passage(seen: Seen, oid: bytes, state: State) -> None:
    own = state.value
    if len(own) >= 5 and isinstance(own[0], str):
        seen.passages.setdefault(oid_in(own[4]), {})[oid] = None
        _read(seen, oid, own[0])


def _piece(seen: Seen, oid: bytes, state: State) -> None:
    _hold(seen, oid, state)


def _method(seen: Seen, oid: bytes, state: State) -> None:
    _hold(seen, oid, state)
    if isinstance(source := state.value.get("source"), str):
        _read(seen, oid, source)


def _version(seen: Seen, oid: bytes, state: State) -> None:
    if gone := state.value.get("gone"):
        seen.gone[bytes.fromhex(gone)] = None
        seen.versions[oid] = None


def _proposal(seen: Seen, oid: bytes, state: State) -> None:
    _hold(seen, oid, state)
    if state.value.get("state") == _FORGOTTEN:
        seen.withdrawn[oid] = None


def _container(seen: Seen, oid: bytes, state: State) -> None:
    _hold(seen, oid, state)
    if isinstance(state.value, dict) and isinstance(listed := state.value.get("data"), list):
        texts = tuple(each for each in listed if isinstance(each, str))
        if texts:
            seen.lists[oid] = texts
    items = items_of(state.value)
    if "doc_id" in items and "text" in items:
        seen.lines[oid] = str(items["doc_id"])
        _read(seen, oid, items["text"])
    elif "question" in items and "answer" in items:
        seen.turns[oid] = (str(items["question"]), oid_in(items.get("cited")))
        _read(seen, oid, items["answer"])
    elif isinstance(items.get("reply"), bytes) and len(items) == 1:
        seen.replies[oid] = items["reply"]
    elif isinstance(items.get("mandate"), str) and "mission_brief" in items:
        seen.mandates[oid] = items["mandate"]


def _hold(seen: Seen, oid: bytes, state: State) -> None:
    seen.holds.setdefault(oid, {}).update(dict.fromkeys(state.references))


def _read(seen: Seen, oid: bytes, text: Any) -> None:
    if isinstance(text, str) and text not in {"", FORGOTTEN_TEXT}:
        seen.texts.setdefault(oid, {})[text] = None


_READERS: Final = {
    PASSAGE: _passage,
    PIECE: _piece,
    METHOD: _method,
    VERSION: _version,
    PROPOSAL: _proposal,
    MAPPING: _container,
    LIST: _container,
}
