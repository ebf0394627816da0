"""A judged collection of a folder, and what it says about an order of its documents.

The folder has `docs.jsonl` (id, title, text), `queries.jsonl` (id, text) and `qrels.tsv` (query, document, gain).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

DEPTH: Final = 10
"""Places that nDCG and recall look at."""


class Collection(NamedTuple):
    """`gains` has for each query what its documents are worth; a query without a relevant one is left out."""

    name: str
    ids: list[str]
    titles: list[str]
    texts: list[str]
    queries: dict[str, str]
    gains: dict[str, dict[str, int]]


class Measures(NamedTuple):
    """Means over the queries, each from 0 to 1."""

    ndcg: float
    recall: float
    mrr: float


def load(folder: Path) -> Collection:
    """The collection in `folder`."""
    documents = _lines(folder / "docs.jsonl")
    gains: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels.tsv").read_text().splitlines():
        query, document, gain = line.split("\t")
        if int(gain) > 0:
            gains.setdefault(query, {})[document] = int(gain)
    return Collection(
        name=folder.name,
        ids=[str(each["id"]) for each in documents],
        titles=[each.get("title", "") for each in documents],
        texts=[each["text"] for each in documents],
        queries={
            str(each["id"]): each["text"] for each in _lines(folder / "queries.jsonl") if str(each["id"]) in gains
        },
        gains=gains,
    )


def measure(orders: Mapping[str, Sequence[str]], gains: Mapping[str, Mapping[str, int]]) -> Measures:
    """How good these orders of documents are, by query."""
    each = [_of_one(order, gains[query]) for query, order in orders.items()]
    return Measures(*(sum(values) / len(each) for values in zip(*each, strict=True)))


def _of_one(order: Sequence[str], gains: Mapping[str, int]) -> Measures:
    got = [gains.get(document, 0) for document in order[:DEPTH]]
    best = sorted(gains.values(), reverse=True)[:DEPTH]
    first = next((place for place, document in enumerate(order, 1) if gains.get(document, 0)), 0)
    return Measures(_dcg(got) / _dcg(best), sum(map(bool, got)) / len(gains), 1 / first if first else 0.0)


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1))


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
