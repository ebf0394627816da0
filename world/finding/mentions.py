"""Which methods use a name: an index over their sources, so that nobody looks through a whole world for who sends a message.

A name is what a source has as an attribute, or as a text that could be one, as `send_all_` is given selectors. Two sets of keys
stand under the root: `names` has "NAME METHOD", the method's own selector too, and `holders` has "METHOD HOLDER", both by OID. A clone shares the methods of its
original, so it costs a key for each of them and no more. Nothing refers to a method or a holder from here: what nobody else
refers to goes with a pack, and is passed over.

The index follows from the world and can be made anew from it. `world.history` keeps it, where methods come and go.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final

from BTrees.OOBTree import OOTreeSet
from persistent.mapping import PersistentMapping
from ZODB.Connection import Connection
from ZODB.POSException import POSKeyError, ReadConflictError

from world.method import UvmMethod
from world.uvm import UvmObject
from world.values import oid_of

INDEX: Final = "mentions"
_DEF: Final = "def:"
"""Before the method's own name, which no source can have so."""


def names_in(source: str) -> set[str]:
    """The names that a source uses."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return set(re.findall(r"[^\W\d]\w*", source))  # it has been edited, by somebody who did not ask the guardian
    nodes = list(ast.walk(tree))
    found = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return found | {text for text in texts if text.isidentifier()}


def build(connection: Connection, objects: Iterable[UvmObject]) -> None:
    """The index over the methods of all `objects`, in the place of one that stands. Nothing is committed."""
    connection.root()[INDEX] = PersistentMapping(names=OOTreeSet(), holders=OOTreeSet())
    for holder in objects:
        for method in list(holder._slots.values()):
            if isinstance(method, UvmMethod):
                note(holder, method)


def note(holder: UvmObject, method: UvmMethod) -> None:
    """`method` stands on `holder` from now on. One that no world has is noted when the world's index is built."""
    index = _index(holder)
    if index is None or method.source is None:
        return
    if method._p_oid is None:
        index._p_jar.add(method)
    oid = oid_of(method)
    if not any(_after(index["holders"], oid)):
        index["names"].update(_keys(method, oid))
    index["holders"].add(f"{oid} {oid_of(holder)}")


def forget(holder: UvmObject, method: UvmMethod) -> None:
    """`method` stands on `holder` no longer."""
    index = _index(holder)
    if index is None or method.source is None or method._p_oid is None:
        return
    oid = oid_of(method)
    key = f"{oid} {oid_of(holder)}"
    if key not in index["holders"]:
        return
    index["holders"].remove(key)
    if not any(_after(index["holders"], oid)):
        for each in _keys(method, oid):
            index["names"].remove(each)


def note_all(holder: UvmObject) -> None:
    """Something leads to `holder` again."""
    for method in [value for value in holder._slots.values() if isinstance(value, UvmMethod)]:
        note(holder, method)


def forget_all(holder: UvmObject) -> None:
    """Nothing leads to `holder` any more."""
    for method in [value for value in holder._slots.values() if isinstance(value, UvmMethod)]:
        forget(holder, method)


def _keys(method: UvmMethod, oid: str) -> list[str]:
    return [f"{name} {oid}" for name in (*names_in(str(method.source)), f"{_DEF}{method.selector}")]


def using(connection: Connection, name: str, *, everywhere: bool = False) -> Iterator[tuple[UvmObject, UvmMethod]]:
    """The methods that use `name`, each once, with an object on which it stands; or with every one of these."""
    return _standing(connection, name, everywhere=everywhere)


def called(connection: Connection, selector: str) -> Iterator[tuple[UvmObject, UvmMethod]]:
    """The methods that stand under `selector`, likewise."""
    return _standing(connection, f"{_DEF}{selector}", everywhere=False)


def methods(connection: Connection) -> Iterator[tuple[UvmObject, UvmMethod]]:
    """Every method with a source, each once, with an object on which it stands: one that has a name, if any has."""
    index: Any = connection.root()[INDEX]
    for oid, keys in groupby(index["holders"], lambda key: key.partition(" ")[0]):
        method = _loaded(connection, oid)
        if not isinstance(method, UvmMethod):
            continue
        nameless: UvmObject | None = None
        for key in keys:
            holder = _loaded(connection, key.rpartition(" ")[2])
            if not isinstance(holder, UvmObject) or not _stands(holder, method):
                continue
            if holder._name is not None:
                yield holder, method
                break
            nameless = nameless or holder
        else:
            if nameless is not None:
                yield nameless, method


def _standing(connection: Connection, key: str, *, everywhere: bool) -> Iterator[tuple[UvmObject, UvmMethod]]:
    index: Any = connection.root()[INDEX]
    for oid in _after(index["names"], key):
        method = _loaded(connection, oid)
        if not isinstance(method, UvmMethod):
            continue
        for at in _after(index["holders"], oid):
            holder = _loaded(connection, at)
            if isinstance(holder, UvmObject) and _stands(holder, method):
                yield holder, method
                if not everywhere:
                    break


def _stands(holder: UvmObject, method: UvmMethod) -> bool:
    return holder._slots.get(method.selector) is method


def _after(keys: Any, first: str) -> Iterator[str]:
    """The second words of the keys whose first word is `first`."""
    return (key.rpartition(" ")[2] for key in keys.keys(f"{first} ", f"{first}!"))


def _loaded(connection: Connection, oid: str) -> Any:
    """What has this OID; None where nothing has it any more."""
    try:
        found = connection.get(bytes.fromhex(oid))
        found._p_activate()
    except (POSKeyError, ReadConflictError):
        return None
    return found


def _index(holder: UvmObject) -> Any:
    """The index of the holder's world; None for an object that is in none yet, and before the index is first made."""
    jar: Any = holder._p_jar
    return None if jar is None else jar.root().get(INDEX)
