"""The bank of a server that serves no experts: it has no slot, so that nothing is ever brought there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from actors.inference.weights.expert import Expert
from actors.inference.weights.lora import Shape


class NoBank:
    """No slots, and no linears that an expert could change. Whoever brings one is refused by the generator before."""

    pinned = False
    slots = 0
    rank = 0
    dtype: Any = None
    shapes: Mapping[str, Shape] = MappingProxyType({})

    def fill(self, _slot: int, _expert: Expert, /) -> None:
        raise NotImplementedError  # it has no slot

    def clear(self, _slot: int, /) -> None:
        raise NotImplementedError  # it has no slot

    def tidy(self) -> None:
        """Nothing has left it."""

    def serve(self, _digests: Iterable[str], /) -> None:
        """Rows name no expert here."""

    def voice(self, _sha256: str | None, /) -> dict[str, Any]:
        return {}
