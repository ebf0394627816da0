"""Whether a message that nobody understands is one that the receiver does understand, written wrongly.

It is asked at the door, of a person's message without a contract: a cycle would cost minutes, and leave a method under a wrong
name. Within methods a message is never taken for another one.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from ZODB.Connection import Connection

from protocol import names
from protocol.errors import BatosError
from protocol.messages import Mandate
from world import root as world_root
from world.method import UvmMethod
from world.nearest import MOST, edits
from world.uvm import UvmObject, delegation, lookup

_SHORT: Final = 2
_MIDDLE: Final = 5
"""Letters of a selector of which none, and at most one, may be wrong; of a longer one two may."""
_NOT_UNDERSTOOD: Final = "_doesNotUnderstand_"
_WORD: Final = re.compile(r"[A-Z]?[^\W_A-Z]+|[A-Z]+")


def check_spelling(connection: Connection, mandate: Mandate) -> None:
    """MISSPELT where the message of `mandate` is near to a method that its target understands, and not understood itself."""
    owes = mandate.examples or mandate.intent.strip()
    if mandate.new or mandate.learn is not None or mandate.hand is not None or owes:
        return
    target = world_root.resolve(connection, mandate.target)
    if lookup(target, mandate.selector) is not None:
        return
    found = lookup(target, _NOT_UNDERSTOOD)
    if found is None or not world_root.is_kernel(found.holder):
        return  # it has an answer of its own to such messages
    close = near(mandate.selector, understood(target))
    if close:
        raise BatosError(
            "MISSPELT",
            f"{mandate.target} understands no {mandate.selector}, but {' and '.join(close)}",
            f"Send {close[0]}; or have a method {mandate.selector} written: --new.",
            near=close,
        )


def understood(target: UvmObject) -> list[str]:
    """The selectors that `target` has a method for, other than primitives and the kernel's own."""
    found = {
        name
        for here in delegation(target)
        for name, value in here._slots.items()
        if isinstance(value, UvmMethod) and value.primitive is None
    }
    return sorted(name for name in found if not name.startswith("_") and name not in names.KERNEL_SELECTORS)


def near(selector: str, known: list[str]) -> list[str]:
    """Those of `known` that `selector` may have been meant for, the nearest first: few letters, or the order of words."""
    words, digits = _words(selector), re.findall(r"\d+", selector)
    length = len(selector.rstrip("_"))
    reach = 0 if length <= _SHORT else 1 if length <= _MIDDLE else 2
    ranked = [
        (0 if _words(other) == words else away, other)
        for other in known
        if (away := edits(selector, other, reach)) <= reach or _words(other) == words
        if re.findall(r"\d+", other) == digits
    ]
    return [other for _, other in sorted(ranked)][:MOST]


def _words(selector: str) -> Counter[str]:
    return Counter(word.lower() for word in _WORD.findall(selector))
