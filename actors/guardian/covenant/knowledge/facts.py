"""What the covenant knows of variables and of conditions on one way: so that a condition that has been asked is not
taken to be otherwise the second time.

    gone = name in self.items
    if gone:
        self.items.remove(name)
    if gone:
        self._p_changed = True

A fact is of a variable and lasts until the variable is bound anew; whether something is true lasts no longer than
until it may have been changed in place. A condition made of variables, constants and operators is remembered as it
stands on the page.

Standard library only, as all of the covenant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

Key = tuple[int, str]
"""A variable: the scope that owns it (`actors.guardian.covenant.knowledge.scopes`), and its name."""

CONTAINERS: Final = frozenset({"list", "dict"})
"""The kinds of value that can be changed in place; what is none of them is a number, a text or a reference."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A value of the page: None, a truth value, a number, a text. (`True` is not `1`.)"""

    kind: type
    value: object


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of a variable's value. `lacks`: kinds of `CONTAINERS` that it is not of.

    With a `least`, it is a whole number that is not less: 0 or 1.
    """

    constant: Constant | None = None
    truth: bool | None = None
    none: bool | None = None
    least: int | None = None
    lacks: frozenset[str] = frozenset()
    container: bool = False
    """Whether it is a list or a dict beyond doubt."""

    def either(self, other: Fact) -> Fact:
        return Fact(
            constant=self.constant if self.constant == other.constant else None,
            truth=self.truth if self.truth is other.truth else None,
            none=self.none if self.none is other.none else None,
            least=None if self.least is None or other.least is None else min(self.least, other.least),
            lacks=self.lacks & other.lacks,
            container=self.container and other.container,
        )


UNKNOWN: Final = Fact()


def of_constant(value: object) -> Fact:
    return Fact(
        constant=Constant(type(value), value),
        truth=bool(value),
        none=value is None,
        least=min(int(value), 1) if isinstance(value, int) and value >= 0 else None,
        lacks=CONTAINERS,
    )


@dataclass(frozen=True, slots=True)
class AskedCondition:
    """A condition that has been asked: what it was, and of which variables it is made."""

    truth: bool
    names: frozenset[Key]


class Facts:
    """All that is known on one way."""

    __slots__ = ("_asked", "_facts")

    def __init__(self) -> None:
        self._facts: dict[Key, Fact] = {}
        self._asked: dict[str, AskedCondition] = {}

    def copy(self) -> Facts:
        twin = Facts()
        twin._facts, twin._asked = dict(self._facts), dict(self._asked)
        return twin

    def of(self, name: Key) -> Fact:
        return self._facts.get(name, UNKNOWN)

    def bind(self, name: Key, fact: Fact = UNKNOWN) -> None:
        """The variable `name` has another value now."""
        self.refine(name, fact)
        for text in [text for text, asked in self._asked.items() if name in asked.names]:
            del self._asked[text]

    def refine(self, name: Key, fact: Fact) -> None:
        """More is known of the variable `name`."""
        if fact == UNKNOWN:
            self._facts.pop(name, None)
        else:
            self._facts[name] = fact

    def asked(self, text: str) -> bool | None:
        found = self._asked.get(text)
        return None if found is None else found.truth

    def ask(self, text: str, truth: bool, names: frozenset[Key]) -> None:
        self._asked[text] = AskedCondition(truth, names)

    def disturb(self, itself: Callable[[Key], bool], within: Callable[[Key], bool], *, grows: bool) -> None:
        """Something was changed in place: it may be what a variable names (`itself`), or be `within` that."""
        for name, fact in list(self._facts.items()):
            gone = fact.truth is not None and fact.constant is None and not (grows and fact.truth)
            if gone and itself(name):
                self.refine(name, replace(fact, truth=None))
        for text, asked in list(self._asked.items()):
            if any(within(name) for name in asked.names):
                del self._asked[text]

    def keep(self, scope: int) -> None:
        """Forget all but the variables of `scope`: those of a closure are others in each of its calls."""
        self._facts = {name: fact for name, fact in self._facts.items() if name[0] == scope}
        self._asked = {
            text: asked for text, asked in self._asked.items() if all(name[0] == scope for name in asked.names)
        }

    def same(self, other: Facts) -> bool:
        return self._facts == other._facts and self._asked == other._asked

    def absorb(self, other: Facts) -> None:
        """Know what is known on either way."""
        mine, theirs = self._facts, other._facts
        found = {name: fact.either(theirs[name]) for name, fact in mine.items() if name in theirs}
        self._facts = {name: fact for name, fact in found.items() if fact != UNKNOWN}
        self._asked = {text: asked for text, asked in self._asked.items() if other._asked.get(text) == asked}

    def follow_from(self, other: Facts) -> bool:
        """Whether all that is known here is known there."""
        return all(fact.either(other.of(name)) == fact for name, fact in self._facts.items()) and all(
            other._asked.get(text) == asked for text, asked in self._asked.items()
        )
