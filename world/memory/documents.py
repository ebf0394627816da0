"""A remembered document: one record that has its facts and its segment of the index, and one for each passage.

A segment (terms, counts, vectors) is bytes, which memory alone makes and reads: they never change while the document
stands, change with it in one transaction, and are gone with it. So a commit writes what it is about and a leaf of the tree
of names, and no bucket of an index. A document of thousands of passages has its segments in pieces, which come before it:
it is there, for whoever reads, once the record is that names them.

A passage is an object with an OID and slots like any other, in one record instead of two: its document's id and metadata are
read from its document. A slot that somebody writes on it is kept beside them.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, MutableMapping
from typing import Any, Final, NamedTuple

from BTrees.OOBTree import OOBTree
from persistent import Persistent

from protocol.codec import Ref, Value
from world.uvm import UvmObject
from world.values import oid_of

OWN: Final = ("text", "doc_id", "chunk_index", "metadata", "start", "context")
"""The slots that every passage has; it begins at character `start` of its document, and is not understood without its context."""

WITHIN: Final = 16
"""Passages of which the segment stands in the document's own record."""


class Segment(NamedTuple):
    """`words` and `vectors` of some passages, in order; `model` says which made the vectors, nothing where there are none."""

    words: bytes
    vectors: bytes = b""
    model: bytes = b""


class Documents(OOBTree):
    """Documents by their ids. A commit writes the leaf that it changes, so leaves are small."""

    max_leaf_size = 8
    max_internal_size = 16


class Piece(Persistent):
    """Some passages of a large document, and their segment."""

    def __init__(self, segment: Segment, chunks: Iterable[UvmObject]) -> None:
        self.segment = segment
        self.chunks = tuple(chunks)

    def __getstate__(self) -> tuple[Any, ...]:
        return (*self.segment, self.chunks)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        *segment, chunks = state
        self.__dict__.update(segment=Segment(*segment), chunks=chunks)


class Document(Persistent):
    """`sha256` is of text and metadata; `created` the time it was remembered, in seconds; what is its own is its last piece."""

    def __init__(self, doc_id: str, sha256: str, metadata: dict[str, Any], created: float) -> None:
        """Without passages; `metadata` has objects where a value has references."""
        self.doc_id = doc_id
        self.sha256 = sha256
        self.held = metadata
        self.created = created
        self.segment = Segment(b"")
        self.own: tuple[UvmObject, ...] = ()
        self.pieces: tuple[Piece, ...] = ()

    @property
    def metadata(self) -> dict[str, Value]:
        """What is known about the document, with references for objects."""
        said: dict[str, Value] = _outside(self.held)
        return said

    @property
    def chunks(self) -> tuple[UvmObject, ...]:
        """All its passages, in order."""
        return (*(chunk for piece in self.pieces for chunk in piece.chunks), *self.own)

    def hold(self, segment: Segment, chunks: Iterable[UvmObject]) -> None:
        """Take its last passages: a few into its own record, more as a piece, since whoever reads a passage reads that record too."""
        held = tuple(chunks)
        if len(held) > WITHIN:
            self.pieces = (*self.pieces, Piece(segment, held))
        else:
            self.segment, self.own = segment, held

    def parts(self) -> Iterator[tuple[Segment, tuple[UvmObject, ...]]]:
        """Its segments, each with its passages, in order."""
        for piece in self.pieces:
            yield piece.segment, piece.chunks
        yield self.segment, self.own

    def clear(self) -> None:
        """Leave nothing of it in its records: an OID that somebody noted still leads here until the world is packed."""
        for chunk in self.chunks:
            clear(chunk)
        for piece in self.pieces:
            piece.segment, piece.chunks = Segment(b""), ()
        self.doc_id = self.sha256 = ""
        self.held, self.segment, self.own, self.pieces = {}, Segment(b""), (), ()

    def __getstate__(self) -> tuple[Any, ...]:
        about = (self.doc_id, bytes.fromhex(self.sha256), self.held, self.created)
        return (*about, *self.segment, self.own, self.pieces)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        doc_id, sha256, held, created, *segment, own, pieces = state
        self.__dict__.update(doc_id=doc_id, sha256=sha256.hex(), held=held, created=created)
        self.__dict__.update(segment=Segment(*segment), own=own, pieces=pieces)


class Passage(UvmObject):
    """A part of a document's text, as an object."""

    def __init__(self, text: str, chunk_index: int, document: Document, start: int = 0, context: str = "") -> None:
        self._keep((text, chunk_index, start, context, document), {})

    @property
    def _slots(self) -> Any:  # type: ignore[override]  # a passage has no other record to write to
        return _Slots(self)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith(("_p_", "_v_")):
            Persistent.__setattr__(self, name, value)
        else:
            self.set_slot(name, value)

    def clear(self) -> None:
        """Leave nothing of it in its record."""
        self._keep(None, {})
        self._p_changed = True

    def slots(self) -> dict[str, Any]:
        """Its slots and their values, as they are seen."""
        inside = self.__dict__
        if inside["_own"] is None:
            return dict(inside["_other"])
        text, index, start, context, document = inside["_own"]
        own = (text, document.doc_id, index, document.metadata, start, context)
        return {**dict(zip(OWN, own, strict=True)), **inside["_other"]}

    def _keep(self, own: tuple[str, int, int, str, Document] | None, other: dict[str, Any]) -> None:
        self.__dict__.update(_name=None, _own=own, _other=other)

    def __getstate__(self) -> tuple[Any, ...]:
        inside = self.__dict__
        own = inside["_own"] or (None,)
        return (*own, inside["_other"]) if inside["_other"] else own

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        *own, other = state if len(state) in {2, 6} else (*state, {})
        self._keep(None if own[0] is None else tuple(own), other)


def clear(passage: UvmObject) -> None:
    """Leave nothing of a passage in its record, of whatever form it is."""
    if isinstance(passage, Passage):
        passage.clear()
    else:
        passage._slots.clear()


def document_of(passage: UvmObject) -> Document | None:
    """The document that a passage is of; None for a passage of an older form, or one that is forgotten."""
    if not isinstance(passage, Passage):
        return None
    passage._p_activate()
    own = passage.__dict__["_own"]
    return None if own is None else own[-1]


class _Slots(MutableMapping[str, Any]):
    """The slots of a passage, which have no record of their own: whatever is asked about it is the passage's."""

    def __init__(self, passage: Passage) -> None:
        self.__dict__["_passage"] = passage

    def __getitem__(self, name: str) -> Any:
        return self._passage.slots()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._write({**self._other(), name: value})

    def __delitem__(self, name: str) -> None:
        left = self._passage.slots()
        del left[name]
        if name in OWN:  # the rest is no longer its document's to say
            self._passage._keep(None, left)  # noqa: SLF001  its own record
            self._passage._p_changed = True
        else:
            self._write({key: value for key, value in self._other().items() if key != name})

    def _other(self) -> dict[str, Any]:
        self._passage._p_activate()
        other: dict[str, Any] = self._passage.__dict__["_other"]
        return other

    def _write(self, other: dict[str, Any]) -> None:
        self._passage.__dict__["_other"] = other
        self._passage._p_changed = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._passage.slots())

    def __len__(self) -> int:
        return len(self._passage.slots())

    def items(self) -> ItemsView[str, Any]:
        """All of them, made once: one by one, each would be made of all."""
        passage: Passage = self.__dict__["_passage"]
        return passage.slots().items()

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_p_"):
            raise AttributeError(name)
        return getattr(self.__dict__["_passage"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._passage, name, value)


def _outside(value: Any) -> Any:
    if isinstance(value, UvmObject):
        return Ref(oid_of(value))
    if isinstance(value, dict):
        return {key: _outside(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_outside(each) for each in value]
    return value


def inside(value: Value, resolve: Callable[[Ref], UvmObject]) -> Any:
    """A value of a document's metadata as its record has it; `resolve` finds the object that a reference means."""
    if isinstance(value, Ref):
        return resolve(value)
    if isinstance(value, dict):
        return {key: inside(each, resolve) for key, each in value.items()}
    if isinstance(value, list):
        return [inside(each, resolve) for each in value]
    return value
