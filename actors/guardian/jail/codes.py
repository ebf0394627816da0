"""The compiled methods of a jail: bytes that a child made of one source, handed to the children that run this source.

They are kept by the digest of the source, which this process takes itself, and never looked into here. To compile costs
as much as the rest of a short run; what is forgotten is compiled again, to the same bytes as far as any run can tell.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Final

MOST_BYTES: Final = 16 << 20

Key = tuple[bytes, bool]
"""The sha256 of a source, and whether it stands under kernel traits."""


def key_of(source: str, *, kernel: bool) -> Key:
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest(), kernel


class Codes:
    """At most `most` bytes of code; what has not been asked for longest goes first."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._bytes = 0
        self._codes: OrderedDict[Key, bytes] = OrderedDict()

    def get(self, key: Key) -> bytes | None:
        code = self._codes.get(key)
        if code is not None:
            self._codes.move_to_end(key)
        return code

    def add(self, key: Key, code: bytes) -> None:
        self._bytes += len(code) - len(self._codes.pop(key, b""))
        self._codes[key] = code
        while self._bytes > self._most:
            _, gone = self._codes.popitem(last=False)
            self._bytes -= len(gone)
