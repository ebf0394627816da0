"""Halving: which of many moments in order is the first bad one, by trying as few of them as can be.

It knows nothing of worlds: who asks for `next` tries that one, and tells by `note` how it was. The last one is known to be bad, and
what lies before the first to be good. A moment that cannot be tried is passed over, for the nearest one that can: the culprit is
then one of several (`between`).
"""

from __future__ import annotations

from typing import Final

MOST_UNTRIED: Final = 8
"""Moments that cannot be tried, after which it is not worth while to look for another one."""


class Halving:
    """Of `number` moments, the last of which is bad."""

    def __init__(self, number: int) -> None:
        self.good = -1
        self.bad = number - 1
        self._untried: set[int] = set()

    @property
    def between(self) -> list[int]:
        """Those of which nobody knows whether they are good: they could not be tried."""
        return list(range(self.good + 1, self.bad))

    def next(self) -> int | None:
        """The moment to try now; None where all is known that can be."""
        if len(self._untried) >= MOST_UNTRIED:
            return None
        middle = (self.good + self.bad) // 2
        for distance in range(self.bad - self.good):
            for at in (middle - distance, middle + distance):
                if self.good < at < self.bad and at not in self._untried:
                    return at
        return None

    def note(self, at: int, is_good: bool | None) -> None:
        """How the moment `at` was; None: it could not be tried."""
        if is_good is None:
            self._untried.add(at)
        elif is_good:
            self.good = max(self.good, at)
        else:
            self.bad = min(self.bad, at)
