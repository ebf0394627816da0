"""What one record of the world says, read without making anything of it: no class is called, no object is made.

A record is two pickles, of the object's class and of its state. Both are read with stand-ins for every class, so that a
damaged one can do no harm, and the classes that are named must be such as a world holds.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import pickle
import pickletools
from typing import Any, Final, NamedTuple, Self

_HOLDING: Final = frozenset({"BTrees", "ZODB", "builtins", "copyreg", "datetime", "persistent", "world", "zope"})
"""Packages whose classes may stand in a record."""
_OLD_NAMES: Final = {"__builtin__": "builtins", "copy_reg": "copyreg"}
_METHOD: Final = "world.method.UvmMethod"


class Record(NamedTuple):
    """The object's own `name`, or ""; the oids that it refers to; what is wrong with what it says, or ""."""

    name: str
    references: tuple[bytes, ...]
    problem: str


class StandIn:
    """In the place of an object of any class: it takes whatever a pickle gives it. `oid` is that of one in a record of its own."""

    oid = b""

    def __new__(cls, *_words: Any, **_named: Any) -> Self:
        return object.__new__(cls)

    def __init__(self, *_words: Any, **_named: Any) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        """As a pickle fills a dict's like."""

    def append(self, value: Any) -> None:
        """As a pickle fills a list's like."""

    def extend(self, values: Any) -> None:
        """As above."""


class StandIns(pickle.Unpickler):
    """Reads a record's two pickles, one by one, with stand-ins; `classes` and `references` (OIDs) are those that it has met."""

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self.classes: list[str] = []
        self.references: list[bytes] = []

    def find_class(self, module: str, name: str) -> Any:
        module = _OLD_NAMES.get(module, module)
        if module.partition(".")[0] not in _HOLDING:
            raise ValueError(f"it is of a class that no world holds, {module[:100]}.{name[:100]}")
        # Ours and our libraries': to import one runs nothing that a record says.
        if not hasattr(importlib.import_module(module), name):
            raise ValueError(f"it is of a class that is not there, {module[:100]}.{name[:100]}")
        self.classes.append(f"{module}.{name}")
        return type("StandIn", (StandIn,), {})

    def persistent_load(self, reference: Any) -> Any:
        """One of ZODB's forms of reference (ZODB/serialize.py); those into other databases are not ours."""
        match reference:
            case bytes(oid) | (bytes(oid), _) | ["w", (bytes(oid), *_)]:
                self.references.append(oid)
                held = StandIn()
                held.oid = oid
                return held
            case _:
                raise ValueError("a reference has no form that a world knows")


def read(data: bytes) -> Record:
    """What a record says; raises whatever a damaged one makes its reader say."""
    _walk(data)
    reader = StandIns(io.BytesIO(data))
    reader.load()
    of = reader.classes[0] if reader.classes else ""
    state = reader.load()  # by the same reader: it may name again what the first pickle has named
    fields = state if isinstance(state, dict) else {}
    name = fields.get("_name")
    problem = _method(fields) if of == _METHOD else ""
    return Record(name if isinstance(name, str) else "", tuple(reader.references), problem)


def fields(data: bytes) -> dict[str, Any]:
    """What a record's object holds, by name, where that is a mapping; in the place of each other object stands nothing of it."""
    _walk(data)
    reader = StandIns(io.BytesIO(data))
    reader.load()
    state = reader.load()
    return state if isinstance(state, dict) else {}


def _walk(data: bytes) -> None:
    """Two pickles and nothing after them, each made of what pickles are made of; so reading them takes no more room."""
    stream = io.BytesIO(data)
    for _ in ("its class", "its state"):
        for opcode, value, _position in pickletools.genops(stream):
            if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and isinstance(value, int) and value > len(data):
                raise ValueError("it would remember more than it has")
    if stream.read(1):
        raise ValueError("there is more than two pickles")


def _method(fields: dict[str, Any]) -> str:
    """A method carries the digest of its text (world/method.py)."""
    source, sha256 = fields.get("source"), fields.get("sha256")
    if source is None and sha256 is None:
        return ""
    if not isinstance(source, str) or hashlib.sha256(source.encode()).hexdigest() != sha256:
        return f"the text of its method {fields.get('selector')!r:.100} is not the one that was judged"
    return ""
