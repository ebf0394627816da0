"""What is known of the future: the experts that admitted plans will use, each plan in its own order.

A plan is worn off by use: rows that are served by one of its experts take that expert from it. So a plan needs no end:
one whose cycle has failed is given up when the uses of others have passed it by, or when newer plans push it out. It is
a hint, and nothing breaks where it is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

KEPT: Final = 64
"""So many plans are remembered; there are hardly more cycles at once."""
PASSED: Final = 32
"""So many uses in a row may be of none of a plan's experts: a bank has been filled anew several times by then."""


class _Plan:
    """The experts that are still to come, in order, and the number of the use up to which it was alive."""

    def __init__(self, coming: list[str], alive: int) -> None:
        self.coming = coming
        self.alive = alive


class Plans:
    """The experts that are still to come, by content."""

    def __init__(self) -> None:
        self._plans: dict[str, _Plan] = {}
        self._uses = 0

    def admit(self, plan: str, experts: Iterable[str]) -> None:
        """From now on `plan` is going to use these, in this order, instead of what it said before."""
        self._plans.pop(plan, None)
        coming = list(dict.fromkeys(experts))
        if coming:
            self._plans[plan] = _Plan(coming, self._uses)
        if len(self._plans) > KEPT:
            del self._plans[next(iter(self._plans))]

    def used(self, sha256: str) -> None:
        """Rows are being served by this expert: the oldest plan that waits for it has had its use, all others are passed by."""
        self._uses += 1
        for plan in self._plans.values():
            if sha256 in plan.coming:
                plan.coming.remove(sha256)
                plan.alive = self._uses
                break
        self._plans = {
            name: plan for name, plan in self._plans.items() if plan.coming and self._uses - plan.alive <= PASSED
        }

    def distance(self, sha256: str) -> float:
        """How many experts come before this one, in the plan that is nearest to it; infinite where none waits for it."""
        places = (plan.coming.index(sha256) for plan in self._plans.values() if sha256 in plan.coming)
        return min(places, default=math.inf)
