"""The passages and vectors of a collection, kept for the next run where a folder is given."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.memory import embedding, reader
from actors.memory.reader import PassageReader
from actors.memory.texts import chunking, passages, sentences, structure
from actors.memory.texts.passages import Passage
from bench.retrieval.collection import Collection

SOURCES = (chunking, embedding, passages, reader, sentences, structure)


class Read(NamedTuple):
    """All passages of a collection; `owner` is the number of each one's document. `queries` has a row a query."""

    passages: list[Passage]
    owner: NDArray[np.int64]
    vectors: NDArray[np.float32]
    queries: NDArray[np.float32]


async def read(collection: Collection, maker: PassageReader, settings: str, keep: Path | None) -> Read:
    """The collection as memory reads it; from `keep` where the same was read by the same code before."""
    path = keep / f"{collection.name}-{_key(collection, settings)}" if keep else None
    if path is not None and path.with_suffix(".npz").exists():
        return _kept(path)
    made, owner, rows = [], [], []
    for number, (title, text) in enumerate(zip(collection.titles, collection.texts, strict=True)):
        found = await maker.passages(text, lambda: False, metadata={"title": title})
        made += found.passages
        owner += [number] * len(found.passages)
        rows += list(found.vectors)
        if sys.stderr.isatty():
            print(f"\r{collection.name} {number + 1}/{len(collection.texts)}", end="", file=sys.stderr)
    queries = await maker.vectors(list(collection.queries.values()), lambda: False)
    # As they are stored.
    vectors = np.stack(rows).astype(np.float16).astype(np.float32)
    done = Read(made, np.array(owner), vectors, queries)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".json").write_text(json.dumps(made))
        np.savez(path.with_suffix(".npz"), owner=done.owner, vectors=vectors.astype(np.float16), queries=queries)
    return done


def _kept(path: Path) -> Read:
    with np.load(path.with_suffix(".npz")) as arrays:
        found: list[Any] = json.loads(path.with_suffix(".json").read_text())
        vectors = arrays["vectors"].astype(np.float32)
        return Read([Passage(*each) for each in found], arrays["owner"], vectors, arrays["queries"])


def _key(collection: Collection, settings: str) -> str:
    digest = hashlib.sha256(f"{settings}{collection.titles}{collection.texts}{collection.queries}".encode())
    for module in SOURCES:
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:16]
