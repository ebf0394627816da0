"""The experts that ship with the program, one for each persona of its own codex: how they come into a world.

They are made for the embedded base model, and left out where another one runs. Each is imported once in a world's life, and
its persona adopts it. That mandate has a fixed key, so a person who drops an expert is not overruled by the next `up`. Where
the name already belongs to an expert with other content, nothing is changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import msgspec

from cli.calls import experts, sending
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Mandate

INDEX: Final = "index.json"
_LESS: Final = frozenset({"UNKNOWN_OBJECT", "EXPIRED"})
"""What a codex without that persona says, where nobody is there to take the expert up; and what the journal says of a mandate that
ended so long ago that its end is not kept any more."""


class Shipped(msgspec.Struct, frozen=True):
    """An expert beside the index, in the folder of its name; `sha256` is what it is once it is imported."""

    name: str
    persona: str
    sha256: str
    base_model: str


def folder() -> Path:
    """Where they lie: data of the world's package, which is located and not imported."""
    spec = find_spec("world")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "image" / "experts"


def index(where: Path) -> list[Shipped]:
    return msgspec.json.decode((where / INDEX).read_bytes(), type=list[Shipped])


async def bring(home: Home, inference: Mapping[str, Any], progress: Callable[[str], None]) -> bool:
    """Import those that the world has no expert of that name for, and have them taken up; whether one was imported.

    `inference` is the detail of its status. What goes wrong is told, and stops nobody: the system runs without them.
    """
    where = folder()
    there = {one["name"]: one["sha256"] for one in inference.get("experts", [])}
    fitting = [one for one in index(where) if one.base_model == inference.get("digest")]
    lacking = [one for one in fitting if one.name not in there]
    if lacking:
        progress(f"bringing the experts {', '.join(one.name for one in lacking)}")
    for one in lacking:
        try:
            there[one.name] = (await experts.bring(home, str(where / one.name), one.name, None)).sha256
        except BatosError as error:
            progress(f"the expert {one.name} is not brought: {error.message}")
    ours = [one for one in fitting if there.get(one.name) == one.sha256]
    for one, why in zip(ours, await asyncio.gather(*(_adopt(home, one) for one in ours)), strict=True):
        if why is not None and why.code not in _LESS:
            progress(f"{one.persona} has not taken up {one.name}: {why.message}")
    return bool(lacking)


async def _adopt(home: Home, one: Shipped) -> BatosError | None:
    """Have the persona take it up, where that has not happened yet; what kept it from that."""
    wanted = Mandate(target=one.persona, selector=experts.ADOPT, args=[one.name])
    key = f"shipped:{one.name}:{one.sha256}"
    try:
        await sending.Sending(home, wanted, key, experts.ADOPT_S).run(lambda _: None)
    except BatosError as error:
        return error
    return None
