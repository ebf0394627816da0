"""The names nearest to one that is mistyped, found in bounded work however many names there are.

A sorted tree of names is read as a trie: where a name goes on after a prefix, one seek tells. The trie is walked with a
row of edit distances (insert, drop, replace, swap two neighbours; upper and lower case are the same), and a branch whose
row has nothing within reach is left; so the work follows from the length of the name and from how many names look like it,
and `SEEKS` bounds it in any case.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, Final

SEEKS: Final = 500
"""Looks into the tree for one mistyped name: some milliseconds."""
MOST: Final = 3
_SHARED: Final = 3
"""Two names that begin with so many common characters are like one another."""

Seek = Callable[[str], "str | None"]
"""The first name that is not before the given text, or None."""


def in_tree(tree: Any) -> Seek:
    """Seeks in a BTree whose keys are names."""

    def seek(text: str) -> str | None:
        try:
            return str(tree.minKey(text))
        except ValueError:
            return None

    return seek


def in_list(names: Sequence[str]) -> Seek:
    """Seeks in a sorted list."""

    def seek(text: str) -> str | None:
        place = bisect_left(names, text)
        return names[place] if place < len(names) else None

    return seek


def edits(one: str, other: str, most: int) -> int:
    """How many edits lie between two names, as far as `most`; more of them are `most + 1`."""
    walk = _Walk(in_list([other]), one, most, SEEKS)
    walk.into("", list(range(len(one) + 1)), [], "")
    return walk.found[0][0] if walk.found else most + 1


def nearest(seek: Seek, wanted: str) -> list[str]:
    """At most `MOST` names: those one or two edits away, nearest first; else those that begin in the same way."""
    left = SEEKS
    for reach in range(1, 3 if len(wanted) > _SHARED else 2):
        walk = _Walk(seek, wanted, reach, left)
        walk.into("", list(range(len(wanted) + 1)), [], "")
        if walk.found:
            return [name for _, name in sorted(walk.found)][:MOST]
        left = walk.left
    found: list[str] = []
    for length in range(len(wanted), _SHARED - 1, -1):
        name = seek(wanted[:length])
        while name is not None and name.startswith(wanted[:length]) and len(found) < MOST:
            found.append(name)
            name = seek(name + "\0")
        if found:
            break
    return found


class _Walk:
    """One walk through the trie, for names at most `reach` edits from `wanted`."""

    def __init__(self, seek: Seek, wanted: str, reach: int, left: int) -> None:
        self.found: list[tuple[int, str]] = []
        self.left = left
        self._seek = seek
        self._wanted = wanted.lower()
        self._reach = reach

    def into(self, prefix: str, row: list[int], before: list[int], last: str) -> None:
        """All names that begin with `prefix`. `row[j]` is its distance from the first j letters of what is wanted.

        `before` and `last` are the row and the letter one step up: a swap looks back to them.
        """
        first = self._look(prefix)
        if first is None or not first.startswith(prefix):
            return
        if first == prefix and row[-1] <= self._reach:
            self.found.append((row[-1], prefix))
        rows = [(letter, self._next(row, before, last, letter)) for letter in self._letters_after(prefix, row, before)]
        for letter, after in sorted(rows, key=lambda pair: min(pair[1])):
            if min(after) <= self._reach:
                self.into(prefix + letter, after, row, letter.lower())

    def _letters_after(self, prefix: str, row: list[int], before: list[int]) -> list[str]:
        """How names go on after `prefix`; where no further edit is in reach, only the letters that are wanted."""
        if min(row) == self._reach:
            wanted = {self._wanted[j] for j in range(len(self._wanted)) if row[j] <= self._reach}
            swapped = {self._wanted[j] for j in range(len(self._wanted) - 1) if before and before[j] < self._reach}
            return sorted({either for letter in wanted | swapped for either in (letter, letter.upper())})
        letters: list[str] = []
        name = self._look(prefix + "\0")
        while name is not None and name.startswith(prefix):
            letter = name[len(prefix)]
            letters.append(letter)
            name = self._look(prefix + chr(ord(letter) + 1)) if ord(letter) < 0x10FFFF else None
        return letters

    def _next(self, row: list[int], before: list[int], last: str, letter: str) -> list[int]:
        letter = letter.lower()
        after = [row[0] + 1]
        for j, other in enumerate(self._wanted, 1):
            cost = min(row[j] + 1, after[j - 1] + 1, row[j - 1] + (letter != other))
            if before and j > 1 and other == last and self._wanted[j - 2] == letter:
                cost = min(cost, before[j - 2] + 1)
            after.append(cost)
        return after

    def _look(self, text: str) -> str | None:
        if self.left <= 0:
            return None
        self.left -= 1
        return self._seek(text)
