"""The prototypal awakening: how an empty database becomes a world, and how an older world becomes a newer one.

Numbered steps, each one transaction that also moves `schema_version`; only the orchestrator takes them, under its
lock, and every other actor waits for the version. The kernel's methods come from `world/image`, where a file is one
method in the folder of its holder; the last step brings them in. After that the world is the source: a method that
somebody has edited stays edited, one that still comes from an awakening becomes that of the newer image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, NamedTuple

from BTrees.LOBTree import LOBTree
from BTrees.OOBTree import OOBTree
from persistent.mapping import PersistentMapping
from ZODB import DB
from ZODB.Connection import Connection

from protocol import names
from world import codex, history, placements
from world.finding import mentions, reach
from world.lexicon import empty_index
from world.memory.documents import Documents
from world.method import AUTHOR, UvmMethod
from world.store import commit, snapshot
from world.uvm import UvmObject
from world.version import PROGRAM, SCHEMA, program, version_of

_FOLDERS: Final = {
    "traits": "traits_obj",
    "cycle": "cycle_traits",
    "persona": "persona_traits",
    "thread": "thread_traits",
    "orchestrator": "orchestrator_obj",
}


class ImageMethod(NamedTuple):
    """One file of the image: `holder` is one of the root's objects, or a state's name."""

    holder: str
    selector: str
    source: str


def image() -> Iterator[ImageMethod]:
    """Every method that a new world starts with."""
    top = files("world") / "image"
    for folder, holder in _FOLDERS.items():
        yield from _methods(top / folder, holder)
    for state in names.STATES:
        yield from _methods(top / "states" / state, state)


def image_codex() -> str:
    """The codex that a new world starts with, as TOML."""
    return (files("world") / "image" / "codex.toml").read_text(encoding="utf-8")


def schema_version(db: DB) -> int:
    """The last step that this database has taken, 0 for an empty one; NEWER_WORLD for one that is not known here."""
    with snapshot(db) as connection:
        return version_of(connection)


def awaken(db: DB) -> int:
    """Take every step that is missing, then index the methods; return the version. A crash repeats at most one of these."""
    version = schema_version(db)
    for number in range(version, CURRENT):
        with commit(db, user="awakening", description=f"schema step {number + 1}") as connection:
            _STEPS[number](connection)
            if number + 1 == CURRENT:
                _refresh(connection)
            connection.root()["schema_version"] = number + 1
            connection.root()[PROGRAM] = program()
    with snapshot(db) as connection:
        has_index = mentions.INDEX in connection.root()
    if version < CURRENT or not has_index:
        with commit(db, user="awakening", description="which methods use which names") as connection:
            mentions.build(connection, (here for _, here in reach.objects(connection)))
    return CURRENT


def _first(connection: Connection) -> None:
    """The root with its named objects and the six states, and what a message that nobody understands needs."""
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
    named_roots: dict[str, Any] = {"traits_obj": traits, "cycle_traits": cycle_traits, **kernel}
    root.update(named_roots)
    root.update(personas=OOBTree(), objects=OOBTree(), applied=OOBTree(), outbox=LOBTree())
    _primitives(traits, "infer_", "clone_", "_clone_persistent_", "_orc_start_cognitive_cycle_")
    _primitives(cycle_traits, "judge_", "install_", "become_", "doom_")


def _second(connection: Connection) -> None:
    """The composite mind: personas from the codex, memory's catalog with its cursor, and their primitives."""
    root = connection.root()
    for name in ("persona_traits", "codex_obj"):
        root[name] = UvmObject(name)
        root[name].set_slot("parent*", root["traits_obj"])
    codex.load(connection, image_codex())
    catalog = root["knowledge_catalog_obj"]
    catalog.set_slot("documents", OOBTree())
    catalog.set_slot("index", empty_index())
    root["cursor"] = PersistentMapping(outbox=0)
    _primitives(catalog, "index_document_", "unindex_document_", "search_")
    _primitives(root["traits_obj"], "send_all_", "recall_", "remember_", "activate_expert_")
    _primitives(root["cycle_traits"], "rank_")


def _third(connection: Connection) -> None:
    """The seed's own words for the experts of the base model, and a cycle's word for those that it is going to use."""
    _primitives(connection.root()["pLLM_obj"], "load_adapter", "set_adapter", "delete_adapter")
    _primitives(connection.root()["cycle_traits"], "prefetch_")


def _fourth(connection: Connection) -> None:
    """The kernel's methods of this version, which every last step brings in: the form of a method is several of them."""


def _fifth(connection: Connection) -> None:
    """Methods of several statements, in a form that follows the model: what nothing sends any more of the image goes."""
    root = connection.root()
    _primitives(root["cycle_traits"], "serving_", "place_", "try_", "budget_", "kin_", "compare_")
    known = {method.selector for method in image() if method.holder == "cycle_traits"}
    slots = root["cycle_traits"]._slots
    for selector, method in list(slots.items()):
        is_ours = isinstance(method, UvmMethod) and method.source is not None and method.author == AUTHOR
        if is_ours and selector not in known:
            del slots[selector]


def _sixth(connection: Connection) -> None:
    """A leaner open form, which large vocabularies can keep: where models begin was found with the one before, and is found anew."""
    placements.forget(connection)


def _seventh(connection: Connection) -> None:
    """What waits for the user's word."""
    connection.root()["proposals"] = OOBTree()


def _eighth(connection: Connection) -> None:
    """Other terms of the same texts: memory, which alone makes them, fills the new index from the first document on."""
    catalog = connection.root()["knowledge_catalog_obj"]
    catalog.set_slot("index", empty_index())
    if len(catalog.documents):
        catalog.set_slot("reindexed", "")


def _ninth(connection: Connection) -> None:
    """A segment a document in place of one index of all: memory, which makes them, moves the documents over one by one."""
    catalog = connection.root()["knowledge_catalog_obj"]
    for slot in ("index", "reindexed"):
        catalog._slots.pop(slot, None)
    if len(catalog.documents):
        catalog.set_slot("older", catalog.documents)
    catalog.set_slot("documents", Documents())


def _tenth(connection: Connection) -> None:
    """Threads: what an object that keeps a conversation understands."""
    root = connection.root()
    root["thread_traits"] = UvmObject("thread_traits")
    root["thread_traits"].set_slot("parent*", root["traits_obj"])


def _eleventh(connection: Connection) -> None:
    """How answers are held against passages, clause by clause: methods of the image alone."""


_STEPS: Final[tuple[Callable[[Connection], None], ...]] = (
    _first,
    _second,
    _third,
    _fourth,
    _fifth,
    _sixth,
    _seventh,
    _eighth,
    _ninth,
    _tenth,
    _eleventh,
)
CURRENT: Final = SCHEMA
assert len(_STEPS) == CURRENT


def _primitives(holder: UvmObject, *selectors: str) -> None:
    for selector in selectors:
        holder.set_slot(selector, UvmMethod(selector, primitive=selector))


def _refresh(connection: Connection) -> None:
    """The image's methods in their places, except where somebody has put another one, and where its model begins."""
    root = connection.root()
    states = root["psm_prototypes_obj"]
    for method in image():
        holder = root[method.holder] if method.holder in root else getattr(states, method.holder)
        stands = holder._slots.get(method.selector)
        if stands is None or (stands.author == AUTHOR and stands.source != method.source):
            made = UvmMethod(method.selector, source=method.source)
            if stands is None:
                holder.set_slot(method.selector, made)
            else:
                history.put(holder, method.selector, made, author=AUTHOR, why=f"schema step {CURRENT}")
    for digest, placement in placements.shipped().items():
        placements.keep_placement(connection, digest, placement)


def _methods(folder: Traversable, holder: str) -> Iterator[ImageMethod]:
    """The methods of a folder and of those within it, which keep apart what belongs together."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _methods(entry, holder)
        elif entry.name.endswith(".py"):
            yield ImageMethod(holder, entry.name.removesuffix(".py"), entry.read_text(encoding="utf-8"))
