"""The world's file, transaction by transaction, and what the state of one record says, with no class called."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from actors.storage.contents import StandIn, StandIns
from actors.storage.records import LENGTH, RECORD, TRANSACTION

BEGINNING: Final = 4
"""Bytes before the first transaction, which name the form of the file."""
_CLASS: Final = re.compile(rb"\x80[\x02-\x05]\(?c([\w.]+)\n(\w+)\n")


class Entry(NamedTuple):
    """A record as it stands in the file: its place, what it says, or the place of the record (`back`) that it says the same as."""

    position: int
    oid: bytes
    previous: int
    data: bytes
    back: int


class Transaction(NamedTuple):
    """`about` are its user, description and extension, as bytes; `lengths` those of each."""

    position: int
    tid: bytes
    status: bytes
    lengths: tuple[int, int, int]
    about: bytes
    entries: list[Entry]


def transactions(file: BinaryIO) -> Iterator[Transaction]:
    """All that were committed, in order, of a file that is whole; one that a crash has cut short at its end is none."""
    file.seek(0, 2)
    size, position = file.tell(), BEGINNING
    while position + TRANSACTION.size <= size:
        file.seek(position)
        tid, length, status, *lengths = TRANSACTION.unpack(file.read(TRANSACTION.size))
        end = position + length
        if status == b"c" or end + LENGTH.size > size:
            return
        about = file.read(sum(lengths))
        entries = list(_entries(file, position + TRANSACTION.size + sum(lengths), end))
        yield Transaction(position, tid, status, (lengths[0], lengths[1], lengths[2]), about, entries)
        position = end + LENGTH.size


def _entries(file: BinaryIO, position: int, end: int) -> Iterator[Entry]:
    file.seek(position)
    rest = file.read(end - position)
    at = 0
    while at < len(rest):
        oid, _tid, previous, _transaction, _version, length = RECORD.unpack_from(rest, at)
        body = at + RECORD.size
        if length:
            yield Entry(position + at, oid, previous, rest[body : body + length], 0)
        else:
            yield Entry(position + at, oid, previous, b"", LENGTH.unpack_from(rest, body)[0])
        at = body + (length or LENGTH.size)


def data_at(file: BinaryIO, position: int) -> bytes:
    """What the record at this place says, or the one that it says the same as; nothing where its object was undone."""
    while position:
        file.seek(position)
        *_, length = RECORD.unpack(file.read(RECORD.size))
        if length:
            return file.read(length)
        position = LENGTH.unpack(file.read(LENGTH.size))[0]
    return b""


def class_of(data: bytes) -> str:
    """The class of a record's object, such as `world.method.UvmMethod`; "" where its record says that otherwise."""
    found = _CLASS.match(data)
    return f"{found[1].decode()}.{found[2].decode()}" if found is not None else ""


class State(NamedTuple):
    """What an object's state is, with a `StandIn` for each object that it refers to, and the OIDs of all these."""

    value: Any
    references: tuple[bytes, ...]


def state_of(data: bytes) -> State:
    """Raises whatever a damaged record makes its reader say."""
    reader = StandIns(io.BytesIO(data))
    reader.load()
    return State(reader.load(), tuple(reader.references))


def oid_in(value: Any) -> bytes:
    """The OID of the object that a part of a state refers to; nothing where it is no reference."""
    return value.oid if isinstance(value, StandIn) else b""


def items_of(state: Any) -> dict[Any, Any]:
    """The items of a persistent mapping's state; none where it is something else's."""
    found = state.get("data") if isinstance(state, dict) else None
    return found if isinstance(found, dict) else {}


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
