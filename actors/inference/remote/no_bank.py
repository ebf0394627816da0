"""The bank of a server that serves no experts: whoever brings one is told so, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from protocol.errors import BatosError

_WHY: Final = "experts are not served by this engine: its personas speak through their prompts alone"
_HINT: Final = 'Set engine = "local" under [inference] in batos.toml, which serves them; `batos train` needs it too.'


class NoBank:
    """No slots, and no linears that an expert could change."""

    slots = 0
    rank = 0
    pinned = False
    dtype: Any = None
    shapes: Mapping[str, Any] = {}

    def accepts(self) -> None:
        """BAD_CONFIG, always: nothing is wrong with the expert."""
        raise BatosError("BAD_CONFIG", _WHY, _HINT)

    def fill(self, slot: int, expert: Any) -> None:  # noqa: ARG002 - the protocol's
        self.accepts()

    def clear(self, slot: int) -> None:
        """Nothing was in it."""

    def tidy(self) -> None:
        """Nothing to follow up."""

    def serve(self, digests: Iterable[str]) -> None:
        if set(digests):
            self.accepts()
