"""Methods of the world that may already do what a message asks for: the primitive `kin_`.

Nobody looks through a whole world. Looked at are the receiver with its parents, so many of the named objects whose names
come next to its own (all of them in a small world), and the objects of which memory knows a method that is near in
selector and intent: at most `MAX_NAMED` and `MAX_HITS` of them, however many objects there are. Memory only says where to
look; what is taken is the source as it stands in the world. A source that is found decides nothing: it is judged and tried
like any other. So nothing that is looked at here counts as read.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from actors.orchestrator.primitives import arguments
from actors.orchestrator.thinking.asks import Thinking, call
from actors.orchestrator.thinking.overlay import Overlay
from actors.orchestrator.thinking.surroundings import methods
from actors.orchestrator.thinking.thought import Sender
from protocol import codec, names, verbs
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import Search
from world import root as world_root
from world.method import UvmMethod
from world.uvm import UvmObject

MAX_KIN: Final = 12
MAX_NAMED: Final = 200
MAX_HITS: Final = 24
MAX_SOURCE: Final = 8_000
SAME_NEAR, SAME, INHERITED, NEAR, FOUND = range(5)
"""How near a method is, the nearest first: of the same selector on an object of a like kind, or on any other; of another
selector, but understood by the receiver; on an object of a like kind; found by memory."""


class Wanted(msgspec.Struct, frozen=True):
    """What a kin is looked for by."""

    selector: str
    parameters: list[str]
    intent: str = ""
    previous: str = ""


class Kin(msgspec.Struct, frozen=True):
    """A method that may do, under the selector that it has there."""

    rank: int
    selector: str
    source: str
    holder: str


def kin(sender: Sender, target: Value, message: Value) -> Thinking[Value]:
    """Methods of the world that have the shape of `message` to `target`, the nearest first.

    Returns at most `MAX_KIN` {"source", "origin", "is_same", "is_near"}: the source under the message's selector, the name of
    the method, whether it has that selector there, and whether it stands on an object of the same parents or the same slots.
    """
    sender.running()
    oid = arguments.reference(target)
    wanted = codec.convert(message, Wanted)
    aside = sender.thought.overlay.aside()
    slots = aside.visible(oid, kernel=False)
    words = f"{wanted.selector.replace('_', ' ').strip()} {wanted.intent[:300]} {' '.join(list(slots)[:12])}"
    hits: list[dict[str, Value]] = []
    for where in ({"kind": "method", "selector": wanted.selector}, {"kind": "method"}):
        request = Search(query=words, top_k=MAX_HITS // 2, where=where)
        found = yield from call(verbs.SEARCH, request, path=sender.path, keep=True)
        hits += [hit.metadata for hit in found.hits]
    ranked = sorted(_all(aside, oid, wanted, hits), key=lambda each: each.rank)
    return _fitting(aside, oid, wanted, ranked, set(slots))


def _all(aside: Overlay, oid: str, wanted: Wanted, hits: list[dict[str, Value]]) -> Iterator[Kin]:
    """Every method within reach that takes as many parameters, with how near it is."""
    lineage = list(aside.delegation(oid))
    for holder, method, source in methods(aside, oid):
        if method.selector != wanted.selector and len(method.parameters) == len(wanted.parameters):
            yield Kin(INHERITED, method.selector, source, aside.name(holder) or holder)
    connection = aside.connection
    kind = _Kind(aside, oid)
    named = dict(world_root.around(connection.root(), aside.name(oid), MAX_NAMED))
    told: dict[str, set[str]] = {}
    for hit in hits:
        told.setdefault(str(hit.get("object", "")), set()).add(str(hit.get("selector", "")))
    for name in {**named, **told}:
        try:
            other = world_root.resolve(connection, name)
        except BatosError:
            continue  # memory remembers what is gone
        if (other._p_oid or b"").hex() in lineage or world_root.is_kernel(other):
            continue
        is_near = kind.has(other)
        for selector, method in list(other._slots.items()):
            if not isinstance(method, UvmMethod) or method.source is None or selector.startswith("_"):
                continue
            if len(method.parameters) != len(wanted.parameters):
                continue
            if selector == wanted.selector:
                yield Kin(SAME_NEAR if is_near else SAME, selector, method.source, name)
            elif is_near or selector in told.get(name, ()):
                yield Kin(NEAR if is_near else FOUND, selector, method.source, name)


class _Kind:
    """What kind of object the receiver is: whose child it is, or else which slots it has."""

    def __init__(self, aside: Overlay, oid: str) -> None:
        own = aside.own(oid)
        common = aside.root_oid("traits_obj")
        self._parents = {value.oid for name, value in own.items() if names.is_delegation(name)} - {common}
        self._slots = _data(own)

    def has(self, other: UvmObject) -> bool:
        if self._parents & {(parent._p_oid or b"").hex() for parent in other.parents()}:
            return True
        slots = _data(other._slots)
        return bool(slots) and slots == self._slots


def _data(slots: Iterable[str]) -> set[str]:
    return {
        name
        for name in slots
        if name != names.LEARNING and not names.is_delegation(name) and not names.is_selector(name)
    }


def _fitting(aside: Overlay, oid: str, wanted: Wanted, ranked: list[Kin], slots: set[str]) -> list[Value]:
    """Those that use no slot and no message that the receiver lacks, each source once."""
    found: dict[str, Value] = {}
    for each in ranked:
        if len(found) == MAX_KIN:
            break
        source = renamed(each.source, each.selector, wanted.selector)
        if source in found or source == wanted.previous or not _fits(aside, oid, source, wanted.selector, slots):
            continue
        found[source] = {
            "source": source,
            "origin": f"{each.holder}.{each.selector}",
            "is_same": each.rank in {SAME_NEAR, SAME},
            "is_near": each.rank in {SAME_NEAR, NEAR, INHERITED},
        }
    return list(found.values())


def renamed(source: str, old: str, new: str) -> str:
    """The source with another selector in its `def`; what it sends to itself stays as it is."""
    return re.sub(rf"(?m)^def(\s+){re.escape(old)}(?=\s*\()", rf"def\g<1>{new}", source, count=1)


def _fits(aside: Overlay, oid: str, source: str, selector: str, slots: set[str]) -> bool:
    if len(source) > MAX_SOURCE:
        return False
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return False  # it has been edited, by somebody who did not ask the guardian
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }
    for name in used - {names.SIGNAL, selector}:
        if aside.lookup(oid, name) is None if names.is_selector(name) else name not in slots:
            return False
    return True
