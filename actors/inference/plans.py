"""What is known of the future: the experts that admitted plans will use, each plan in its own order.

A plan is worn off by use: rows that are served by one of its experts take that expert from it. So a plan needs no end, and
one whose cycle has failed only waits until newer plans push it out. It is a hint, and nothing breaks where it is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

KEPT: Final = 64
"""So many plans are remembered; there are hardly more cycles at once."""


class Plans:
    """The experts that are still to come, by content."""

    def __init__(self) -> None:
        self._plans: dict[str, list[str]] = {}

    def admit(self, plan: str, experts: Iterable[str]) -> None:
        """From now on `plan` is going to use these, in this order, instead of what it said before."""
        self._plans.pop(plan, None)
        coming = list(dict.fromkeys(experts))
        if coming:
            self._plans[plan] = coming
        if len(self._plans) > KEPT:
            del self._plans[next(iter(self._plans))]

    def used(self, sha256: str) -> None:
        """Rows are being served by this expert: the oldest plan that waits for it has had its use."""
        for plan, coming in self._plans.items():
            if sha256 in coming:
                coming.remove(sha256)
                if not coming:
                    del self._plans[plan]
                return

    def distance(self, sha256: str) -> float:
        """How many experts come before this one, in the plan that is nearest to it; infinite where none waits for it."""
        places = (coming.index(sha256) for coming in self._plans.values() if sha256 in coming)
        return min(places, default=math.inf)
