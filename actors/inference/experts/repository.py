"""`lora_repository`: the experts as the world keeps them, a proxy by name and the weights in one blob.

Inference is the only writer here. A name that is given other content keeps its proxy, so that whoever refers to it
goes on to do so; content, size and digest change in the one commit that brings the new blob. What is pinned is a name
too: whatever it means, now and after a restart, is to stay on the device.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from persistent.mapping import PersistentMapping
from ZODB.POSException import POSKeyError

from actors.inference.weights.expert import Content, Manifest
from protocol.errors import BatosError
from world import blobs
from world.store import Store, commit, snapshot
from world.uvm import UvmObject

FILE: Final = "expert.safetensors"
"""The blob's name in a proxy's `files`."""
_PINNED: Final = "pinned"
_LOST: Final = Path("lost") / FILE
"""Stands for a file that the storage no longer has: whoever reads it is told so, and nobody else."""


class KeptExpert(NamedTuple):
    """An expert in the world. `tid` is None where it stood there already; `orphan` is a content that lost its last name.

    `pinned` says whether the expert's name is.
    """

    content: Content
    tid: str | None
    pinned: bool
    orphan: str | None = None


def experts(store: Store) -> dict[str, Content]:
    """Every expert by name, in name order. On the world's thread."""
    with snapshot(store.db) as connection:
        return {name: _content(name, proxy) for name, proxy in _repository(connection.root()).items()}


def pinned(store: Store) -> list[str]:
    """The names that are pinned, in name order. On the world's thread."""
    with snapshot(store.db) as connection:
        return [name for name, proxy in _repository(connection.root()).items() if _is_pinned(proxy)]


def pin(store: Store, name: str, *, on: bool) -> str | None:
    """Note whether the expert `name` is pinned; the commit, None where that stood there. On the world's thread."""
    with snapshot(store.db) as connection:
        if _is_pinned(_repository(connection.root())[name]) is on:
            return None
    with commit(store.db, user="inference", description=f"{'pin' if on else 'unpin'} expert {name}") as connection:
        _repository(connection.root())[name].set_slot(_PINNED, on)
    with snapshot(store.db) as connection:
        return _tid(_repository(connection.root())[name])


def resolve(store: Store, names: Iterable[str]) -> dict[str, Content]:
    """What these names mean, all at one moment; UNKNOWN_EXPERT for one that means nothing. On the world's thread.

    Only they are read: of a thousand experts a batch names a few.
    """
    found = {}
    with snapshot(store.db) as connection:
        repository = _repository(connection.root())
        for name in names:
            if name not in repository:
                near = ", ".join(itertools.islice(repository, 5))
                raise BatosError(
                    "UNKNOWN_EXPERT",
                    f"no expert is called {name[:100]!r}",
                    f"There are: {near} (`batos expert ls`)."
                    if near
                    else "Bring one: `batos expert import PATH NAME`.",
                )
            found[name] = _content(name, repository[name])
    return found


def keep(store: Store, name: str, manifest: Manifest, file: Path) -> KeptExpert:
    """Store the file, which is moved, as the expert `name`, in one transaction. On the world's thread.

    What stands there already is left alone, unless its own file is spoiled.
    """
    before = experts(store)
    old = before.get(name)
    if old is not None and old.sha256 == manifest.sha256 and _is_whole(old):
        with snapshot(store.db) as connection:
            return KeptExpert(old, None, _is_pinned(_repository(connection.root())[name]))
    with commit(store.db, user="inference", description=f"expert {name}: {manifest.sha256[:12]}") as connection:
        root = connection.root()
        repository = _repository(root)
        proxy = repository.get(name)
        if proxy is None:
            proxy = repository[name] = UvmObject(name)
            proxy.set_slot("parent*", root["traits_obj"])
        for slot, value in _slots(name, manifest).items():
            proxy.set_slot(slot, value)
        proxy.set_slot("files", blobs.consume({FILE: file}))
    with snapshot(store.db) as connection:
        proxy = _repository(connection.root())[name]
        kept = KeptExpert(_content(name, proxy), _tid(proxy), _is_pinned(proxy))
    others = {content.sha256 for other, content in before.items() if other != name} | {manifest.sha256}
    return kept._replace(orphan=old.sha256 if old is not None and old.sha256 not in others else None)


def _repository(root: Any) -> Any:
    return root["pLLM_obj"].lora_repository


def _is_pinned(proxy: UvmObject) -> bool:
    # Its own slot, not one that it would inherit; experts of older worlds have none.
    return proxy._slots.get(_PINNED, False) is True


def _is_whole(content: Content) -> bool:
    try:
        with content.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == content.sha256
    except OSError:
        return False


def _tid(proxy: UvmObject) -> str:
    serial: bytes = proxy._slots._p_serial
    return serial.hex()


def _slots(name: str, manifest: Manifest) -> dict[str, Any]:
    return {
        "name": name,
        "sha256": manifest.sha256,
        "base_model": manifest.base_model,
        "rank": manifest.rank,
        "alpha": manifest.alpha,
        "bytes": manifest.bytes,
        "modules": list(manifest.modules),
        "invocation": list(manifest.invocation),
    }


def _content(name: str, proxy: UvmObject) -> Content:
    files: PersistentMapping = proxy.files
    try:
        path = blobs.committed(files)[FILE]
    except POSKeyError:
        path = _LOST
    return Content(
        name=name,
        sha256=proxy.sha256,
        base_model=proxy.base_model,
        rank=proxy.rank,
        bytes=proxy.bytes,
        path=path,
        # Its own slot: proxies from before there were aLoRA experts have none.
        invocation=tuple(proxy._slots.get("invocation", ())),
    )
