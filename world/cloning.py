"""What a clone is, whatever stands for an object: one of the world (`uvm`), or a reference into a mandate's overlay.

A clone has slots of its own. What it delegates to, methods, blobs and named objects are shared with the original. Lists and
dicts are copied, and so is an object without a name: it is owned by the one in whose slot it stands. What is met twice is
copied once, so that the clone of a circle is a circle of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable
from typing import Any, ClassVar, Generic, TypeVar

from protocol import names

T = TypeVar("T")


class Cloning(ABC, Generic[T]):
    """The making of one clone. `copies` are those so far, by the `key` of what they are copies of."""

    mapping: ClassVar[type[Any]]
    sequence: ClassVar[type[Any]]

    def __init__(self, copies: dict[Any, Any]) -> None:
        self.copies = copies

    def clone(self, original: T) -> T:
        # A copy is noted before it is filled: an object or a container may hold itself.
        made = self.copies[self.key(original)] = self.make()
        for name, value in self.slots(original):
            self.write(made, name, value if names.is_delegation(name) else self._copy(value))
        return made

    def _copy(self, value: Any) -> Any:
        key = self.key(value)
        if key in self.copies:
            return self.copies[key]
        if self.is_shared(value):
            return value
        if isinstance(value, self.mapping):
            mapping = self.copies[key] = self.mapping()
            mapping.update({name: self._copy(item) for name, item in value.items()})
            return mapping
        if isinstance(value, self.sequence):
            items = self.copies[key] = self.sequence()
            items.extend([self._copy(item) for item in value])
            return items
        return self.copy_other(value)

    # What differs -------------------------------------------------------------------------------------------------

    def key(self, value: Any) -> Hashable:
        """What tells one object or container from another, and stays so while the clone is made."""
        return id(value)

    @abstractmethod
    def slots(self, original: T) -> Iterable[tuple[str, Any]]:
        """The own slots of an object."""

    @abstractmethod
    def make(self) -> T:
        """A new object without slots."""

    @abstractmethod
    def write(self, made: T, name: str, value: Any) -> None:
        """Give a new object a slot."""

    @abstractmethod
    def is_shared(self, value: Any) -> bool:
        """Whether a clone has this very value, and no copy of it."""

    @abstractmethod
    def copy_other(self, value: Any) -> Any:
        """The copy of an object, or of what is neither an object nor a container."""
