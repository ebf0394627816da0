"""A segment of the index as bytes: the terms of some passages, how often each stands in which, and how long they are.

A term is the first five bytes of its hash (BLAKE2b). A text as large as an encyclopaedia has a million terms, of which a
question's term is then another's with a probability of one to a million; for that, reading a segment is a copy of its bytes, and what is
forgotten cannot be read back. The layout, in little endian:

    passages, terms, postings     three numbers of 4 bytes
    lengths                       2 bytes a passage: its words, without those beside
    terms                         5 bytes each, ascending
    then, compressed by zlib where that is shorter:
    passages of each term         1, 2 or 4 bytes each, by the number of passages
    passage of each posting       the same, term by term, each as the step from the one before
    counts                        1 byte a posting; more than 255 counts as 255, which the ranking hardly tells apart
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.memory.texts.words import Terms

HASHED: Final = 5
"""Bytes of a term."""
MOST: Final = 255
"""The most that a term counts in one passage."""
LONGEST: Final = (1 << 16) - 1
_HEAD: Final = struct.Struct("<III?")

Array = NDArray[Any]


class Postings(NamedTuple):
    """Which terms stand in which passages. `starts` has the first posting of each term and, last, their number."""

    lengths: NDArray[np.uint16]
    terms: NDArray[np.uint64]
    starts: NDArray[np.int32]
    passages: NDArray[np.int32]
    counts: NDArray[np.uint8]


@lru_cache(maxsize=1 << 17)
def hashed(term: str) -> int:
    """The number of a term."""
    return int.from_bytes(hashlib.blake2b(term.encode("utf-8", "surrogatepass"), digest_size=HASHED).digest(), "little")


def postings(passages: Sequence[Terms]) -> Postings:
    """The postings of passages by their terms."""
    counted = [Counter(each.words + each.beside) for each in passages]
    terms = np.array([hashed(term) for each in counted for term in each], np.uint64)
    counts = np.array([count for each in counted for count in each.values()], np.int64)
    order = np.argsort(terms, kind="stable")
    found, starts = np.unique(terms[order], return_index=True)
    return Postings(
        np.array([min(len(each.words), LONGEST) for each in passages], np.uint16),
        found,
        np.append(starts, len(terms)).astype(np.int32),
        np.repeat(np.arange(len(counted), dtype=np.int32), [len(each) for each in counted])[order],
        np.minimum(counts, MOST)[order].astype(np.uint8),
    )


def pack(found: Postings) -> bytes:
    """The bytes of a segment's words."""
    narrow = _narrow(len(found.lengths))
    steps = np.diff(found.passages, prepend=np.int32(0))
    steps[found.starts[:-1]] = found.passages[found.starts[:-1]]
    body = b"".join(
        (np.diff(found.starts).astype(narrow).tobytes(), steps.astype(narrow).tobytes(), found.counts.tobytes())
    )
    squeezed = zlib.compress(body, 9)
    is_squeezed = len(squeezed) < len(body)
    head = _HEAD.pack(len(found.lengths), len(found.terms), len(found.passages), is_squeezed)
    # The low five bytes of each number; the others are nothing.
    terms = found.terms.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :HASHED].tobytes()
    return b"".join((head, found.lengths.astype("<u2").tobytes(), terms, squeezed if is_squeezed else body))


def unpack(data: bytes) -> Postings:
    """What `pack` has packed."""
    passages, terms, count, is_squeezed = _HEAD.unpack_from(data)
    at = _HEAD.size
    lengths = np.frombuffer(data, "<u2", passages, at)
    at += 2 * passages
    wide = np.zeros((terms, 8), np.uint8)
    wide[:, :HASHED] = np.frombuffer(data, np.uint8, HASHED * terms, at).reshape(terms, HASHED)
    at += HASHED * terms
    body = zlib.decompress(data[at:]) if is_squeezed else data[at:]
    narrow = _narrow(passages)
    size = narrow.itemsize
    if passages == 1:
        starts, numbers = np.arange(terms + 1, dtype=np.int32), np.zeros(count, np.int32)
    else:
        sizes = np.frombuffer(body, narrow, terms)
        starts = np.zeros(terms + 1, np.int32)
        sizes.cumsum(dtype=np.int32, out=starts[1:])
        steps = np.frombuffer(body, narrow, count, terms * size).astype(np.int32)
        walked = steps.cumsum(dtype=np.int32)
        first = starts[:-1]
        numbers = walked - (walked[first] - steps[first]).repeat(sizes)
    counts = np.frombuffer(body, np.uint8, count, (terms + count) * size)
    return Postings(lengths, wide.reshape(-1).view("<u8").astype(np.uint64, copy=False), starts, numbers, counts)


def narrowed(vectors: Array) -> NDArray[np.float16]:
    """Unit vectors in half precision, which is what is kept of them."""
    return vectors.astype(np.float16)


def pack_vectors(vectors: Array) -> bytes:
    """Unit vectors, a row each, in half precision."""
    return vectors.astype("<f2").tobytes()


def unpack_vectors(data: bytes, passages: int) -> NDArray[np.float16]:
    """What `pack_vectors` has packed; rows of nothing where there are none."""
    return np.frombuffer(data, "<f2").reshape(passages, -1).astype(np.float16, copy=False)


def joined(parts: Sequence[Postings]) -> Postings:
    """The postings of passages that follow each other."""
    offsets = np.cumsum([0, *(len(part.lengths) for part in parts)])
    terms = _concatenated([np.repeat(part.terms, np.diff(part.starts)) for part in parts], np.uint64)
    order = np.argsort(terms, kind="stable")
    terms = terms[order]
    is_first = np.append(True, terms[1:] != terms[:-1]) if len(terms) else np.zeros(0, np.bool_)
    starts = np.append(np.flatnonzero(is_first), len(terms)).astype(np.int32)
    moved = [part.passages + np.int32(at) for part, at in zip(parts, offsets, strict=False)]
    return Postings(
        _concatenated([part.lengths for part in parts], np.uint16),
        terms[is_first],
        starts,
        _concatenated(moved, np.int32)[order],
        _concatenated([part.counts for part in parts], np.uint8)[order],
    )


def _concatenated(arrays: Sequence[Array], dtype: type) -> Array:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype)


def _narrow(passages: int) -> np.dtype[Any]:
    return np.dtype("u1" if passages < 1 << 8 else "<u2" if passages < 1 << 16 else "<u4")
