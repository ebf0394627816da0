"""Bundles: objects with their methods and contracts, as they leave one world and are tried anew in another.

Within a bundle an object is called by its name there, and a reference is `{"$ref": NAME}` as in all values from outside; no OID
means anything in another world. An object without a name in its own world is `owned`, and has a name in the bundle alone.
"""

from __future__ import annotations

import msgspec

from protocol.codec import Value
from protocol.messages.guardian import Violation


class BundledMethod(msgspec.Struct, frozen=True, kw_only=True):
    """A method as source with what it owes; `sha256` is of the source. Other objects of an example go by their names too."""

    selector: str
    sha256: str
    source: str
    intent: str = ""
    examples: list[Value] = []


class BundledObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object: what it delegates to (`{"parent*": "shape"}`), its slots and its methods."""

    name: str
    owned: bool = False
    parents: dict[str, str] = {}
    slots: dict[str, Value] = {}
    methods: list[BundledMethod] = []


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """Give the user's objects `names`, and those of the user's that they refer to, in whatever way."""

    names: list[str]


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """The objects, those that were asked for first. `needs` are the system's own that they name, which every world has."""

    objects: list[BundledObject]
    needs: list[str] = []


class ImportBundle(msgspec.Struct, frozen=True, kw_only=True, tag="import"):
    """Take the objects of the bundle called `name` into the world, all of them or none. A mandate, like `Define`.

    Every method passes the gates and holds its contract here, whatever it did elsewhere. With a `prefix` the object `box` is
    called `PREFIX.box`.
    """

    name: str
    objects: list[BundledObject]
    prefix: str = ""


class ImportedObject(msgspec.Struct, frozen=True, kw_only=True):
    """A named object of the bundle, as it is called in this world."""

    name: str
    oid: str


class ImportedMethod(msgspec.Struct, frozen=True, kw_only=True):
    """The answer on one method: it was judged, and held so many examples (`cases`), or what is wrong with it.

    `name` is that of its object in the bundle. A broken contract is a violation of one of the trial's rules, at line 0.
    """

    name: str
    selector: str
    sha256: str
    verdict: str
    cases: int = 0
    violations: list[Violation] = []


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the world now."""

    objects: list[ImportedObject]
    methods: list[ImportedMethod]
    tid: str | None = None
