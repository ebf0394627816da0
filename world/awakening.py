"""The prototypal awakening: how an empty database becomes a world, and how an older world becomes a newer one.

Numbered steps, each one transaction that also moves `schema_version`; only the orchestrator takes them, under its
lock, and every other actor waits for the version. The kernel's methods come from `world/image`, where a file is one
method: `image/traits/` for `traits_obj`, `image/cycle/` for `cycle_traits`, `image/states/NAME/` for a state.
After that the world is the source: an edited method stays edited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, NamedTuple

from BTrees.LOBTree import LOBTree
from BTrees.OOBTree import OOBTree
from ZODB import DB
from ZODB.Connection import Connection

from protocol import names
from world.method import UvmMethod
from world.store import commit, snapshot
from world.uvm import UvmObject

TRAITS_PRIMITIVES: Final = ("infer_", "clone_", "_clone_persistent_", "_orc_start_cognitive_cycle_")
"""Primitives that every object has."""

CYCLE_PRIMITIVES: Final = ("judge_", "install_", "become_", "doom_")
"""Primitives of a cycle's context alone."""


class ImageMethod(NamedTuple):
    """One file of the image: `holder` is `traits_obj`, `cycle_traits`, or a state's name."""

    holder: str
    selector: str
    source: str


def image() -> Iterator[ImageMethod]:
    """Every method that a new world starts with."""
    top = files("world") / "image"
    yield from _methods(top / "traits", "traits_obj")
    yield from _methods(top / "cycle", "cycle_traits")
    for state in names.STATES:
        yield from _methods(top / "states" / state, state)


def schema_version(db: DB) -> int:
    """The last step that this database has taken; 0 for an empty one."""
    with snapshot(db) as connection:
        return int(connection.root().get("schema_version", 0))


def awaken(db: DB) -> int:
    """Take every step that is missing; return the version. Steps are atomic, so a crash repeats at most one."""
    version = schema_version(db)
    for number in range(version, CURRENT):
        with commit(db, user="awakening", description=f"schema step {number + 1}") as connection:
            _STEPS[number](connection)
            connection.root()["schema_version"] = number + 1
    return CURRENT


def _first(connection: Connection) -> None:
    """The root with all its named objects, the six states, and the kernel's methods."""
    root = connection.root()
    traits = UvmObject("traits_obj")
    cycle_traits = UvmObject("cycle_traits", rounds=3)
    cycle_traits.set_slot("parent*", traits)
    states = {state: UvmObject(state) for state in names.STATES}
    for state in states.values():
        state.set_slot("parent*", cycle_traits)
    kernel: dict[str, UvmObject] = {
        "pLLM_obj": UvmObject("pLLM_obj", base_model=None, lora_repository=OOBTree()),
        "memory_manager_obj": UvmObject("memory_manager_obj"),
        "orchestrator_obj": UvmObject("orchestrator_obj", active_cycles=OOBTree()),
        "psm_prototypes_obj": UvmObject("psm_prototypes_obj", **states),
        "knowledge_catalog_obj": UvmObject("knowledge_catalog_obj"),
    }
    for named in kernel.values():
        named.set_slot("parent*", traits)
    for selector in TRAITS_PRIMITIVES:
        traits.set_slot(selector, UvmMethod(selector, primitive=selector))
    for selector in CYCLE_PRIMITIVES:
        cycle_traits.set_slot(selector, UvmMethod(selector, primitive=selector))
    holders = {"traits_obj": traits, "cycle_traits": cycle_traits, **states}
    for method in image():
        holders[method.holder].set_slot(method.selector, UvmMethod(method.selector, source=method.source))
    named_roots: dict[str, Any] = {"traits_obj": traits, "cycle_traits": cycle_traits, **kernel}
    root.update(named_roots)
    root.update(personas=OOBTree(), objects=OOBTree(), applied=OOBTree(), outbox=LOBTree())


_STEPS: Final[tuple[Callable[[Connection], None], ...]] = (_first,)
CURRENT: Final = len(_STEPS)


def _methods(folder: Traversable, holder: str) -> Iterator[ImageMethod]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".py"):
            yield ImageMethod(holder, entry.name.removesuffix(".py"), entry.read_text(encoding="utf-8"))
