"""What a call hands over, as the covenant knows it. Standard library only, as all of the covenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.guardian.covenant.knowledge.objects import NOTHING, Value


@dataclass(frozen=True, slots=True)
class Arguments:
    """`placed` stand at the beginning, `named` are keywords; any other parameter may get what is `spread`.

    `literal` is the first argument where it is a constant of the page: a key, a place.
    """

    placed: tuple[Value, ...] = ()
    named: Mapping[str, Value] = field(default_factory=dict)
    spread: Value = NOTHING
    literal: object | None = None

    @property
    def everything(self) -> Value:
        return self.spread.union(*self.placed, *self.named.values())

    @property
    def rest(self) -> Value:
        """All but the first."""
        return self.spread.union(*self.placed[1:], *self.named.values())

    def without_first(self) -> Arguments:
        return Arguments(placed=self.placed[1:], named=self.named, spread=self.spread)


def anything(value: Value) -> Arguments:
    """Each argument may be `value`: of a callback that is called by others."""
    return Arguments(spread=value)
