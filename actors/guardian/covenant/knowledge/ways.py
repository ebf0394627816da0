"""The ways through a method, and how a piece of it is left. Standard library only, as all of the covenant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from actors.guardian.covenant.knowledge.aliasing import State, joined
from actors.guardian.covenant.knowledge.objects import Value

Ways = list[State]
"""What may be true at one point of a method: states in which all is signalled, and states in which it is not."""
MAX_WAYS: Final = 4
"""States that are kept apart by what they know, where they meet."""


@dataclass
class Exits:
    """The states in which a piece of code is left, by how it is left. Returns carry their line and value."""

    breaks: list[State] = field(default_factory=list)
    continues: list[State] = field(default_factory=list)
    returns: list[tuple[State, int, Value]] = field(default_factory=list)


def merged(states: Iterable[State]) -> Ways:
    """A few states for all of them, apart where all is signalled from those where something is not.

    Those that know different things are kept apart too, as long as they are few.
    """
    found: list[State] = []
    every = [state for state in states if not state.dead]
    for clean in (True, False):
        apart: list[State] = []
        for state in every:
            if (state.dirty is None) is clean:
                same = next((one for one in apart if one.facts.same(state.facts)), None)
                if same is None:
                    apart.append(state.copy())
                else:
                    same.absorb(state)
        meeting = joined(apart) if len(apart) > MAX_WAYS else None
        found += apart if meeting is None else [meeting]
    return found


def knows(ways: Ways, others: Ways) -> bool:
    """Whether `others` add nothing to `ways`: the end of a loop's fixed point."""
    return all(
        any((way.dirty is None) is (other.dirty is None) and way.knows(other) for way in ways) for other in others
    )
