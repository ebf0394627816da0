"""Every object of a world that a name leads to, one after the other. A walk for what nobody waits for: it reads everything."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, Final

from persistent.list import PersistentList
from persistent.mapping import PersistentMapping
from ZODB.Connection import Connection

from world import root as world_root
from world.uvm import UvmObject
from world.values import oid_of

_MANY: Final = 1000
"""Objects after which what was read is let go again."""


def objects(connection: Connection) -> Iterator[tuple[str, UvmObject]]:
    """The user's objects, the personas and the root's, with what they own, each once, with what it is called: `box`, `box.lid`.

    Trees are not looked into (documents, running cycles, experts).
    """
    reading: Any = connection
    root: Any = connection.root()
    kernel = [(name, root[name]) for name in world_root.KERNEL_OBJECTS if name in root]
    seen: set[str] = set()
    for start in chain(_fetched(reading, root["objects"]), root["personas"].items(), kernel):
        pending = [start]
        while pending:
            label, here = pending.pop()
            if oid_of(here) in seen:
                continue
            seen.add(oid_of(here))
            yield label, here
            for name, value in list(here._slots.items()):
                owned = [each for each in within(value) if isinstance(each, UvmObject) and not _is_listed(root, each)]
                pending += [(each._name or f"{label}.{name}", each) for each in owned]
            if len(seen) % _MANY == 0:
                reading.cacheMinimize()


def _fetched(reading: Any, named: Any) -> Iterator[tuple[str, UvmObject]]:
    """The objects of a tree, with their slots, asked of the server many at a time: one by one each costs a journey."""
    pairs = iter(named.items())
    while batch := list(islice(pairs, _MANY)):
        reading.prefetch([each for _, each in batch])
        reading.prefetch([each._slots for _, each in batch])
        yield from batch


def within(value: Any) -> Iterator[Any]:
    """What a slot's value consists of, containers opened."""
    pending = [value]
    while pending:
        here = pending.pop()
        if isinstance(here, PersistentList):
            pending.extend(here)
        elif isinstance(here, PersistentMapping):
            pending.extend(here.values())
        else:
            yield here


def _is_listed(root: Any, each: UvmObject) -> bool:
    """Whether it is met under its own name anyway."""
    return each._name is not None and (each._name in root["objects"] or each._name in root["personas"])
