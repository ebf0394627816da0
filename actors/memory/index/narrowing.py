"""What a search can be narrowed by: the entries of a document's metadata, and the time that it is from.

An entry is a number, the hash of its key and value, so that a million of them are looked through in a millisecond.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocol import codec
from protocol.codec import Value

DATES: Final = ("date", "published", "created", "modified")
"""Entries of the metadata that say when a document is from, the first of them that can be read."""

_LONG_AGO: Final = -6.3e10
_FAR_AHEAD: Final = 2.6e11
"""Seconds of what `datetime` has years for."""


def fact(key: str, value: Value) -> int:
    """The number of an entry. Numbers that are equal have the same: 1 and 1.0, but not True."""
    if type(value) is str:  # most are, and of those with other entries none begins with this byte
        said = f"\0{key}\0{value}".encode("utf-8", "surrogatepass")
    else:
        said = codec.encode([key, _canonical(value)], limit=codec.MAX_FRAME_BYTES)
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "little")


def facts(metadata: Mapping[str, Value]) -> NDArray[np.uint64]:
    """The numbers of all entries."""
    return np.array([fact(key, value) for key, value in metadata.items()], np.uint64)


def time_of(metadata: Mapping[str, Value], created: float) -> float:
    """When a document is from, in seconds since 1970: a date in its metadata, or the time it was remembered."""
    for key in DATES:
        if key in metadata:
            found = _seconds(metadata[key])
            if found is not None:
                return found
    return created


def _seconds(value: Value) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if _LONG_AGO < value < _FAR_AHEAD else None
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _canonical(value: Value) -> Value:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _canonical(value[key]) for key in sorted(value, key=repr)}
    if isinstance(value, list):
        return [_canonical(each) for each in value]
    return value
