"""The bank of a server that serves no experts: it has no slot, so that nothing is ever brought there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from actors.inference.weights.expert import Expert
from actors.inference.weights.lora import Shape
from protocol.errors import BatosError


class NoBank:
    """No slots, and no linears that an expert could change. Whoever brings one is refused by the generator before."""

    pinned = False
    slots = 0
    rank = 0
    dtype: Any = None
    shapes: Mapping[str, Shape] = MappingProxyType({})

    def fill(self, slot: int, _expert: Expert, /) -> None:
        raise _no_slot(slot)

    def clear(self, slot: int, /) -> None:
        raise _no_slot(slot)

    def tidy(self) -> None:
        """Nothing has left it."""

    def serve(self, _digests: Iterable[str], /) -> None:
        """Rows name no expert here."""

    def voice(self, _sha256: str | None, /) -> dict[str, Any]:
        return {}


def _no_slot(slot: int) -> BatosError:
    return BatosError("INTERNAL", f"slot {slot} is named of a server that serves no experts", slot=slot)
