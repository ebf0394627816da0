"""How well memory finds in a judged collection, over its passages, beside the ways that others search.

    python -m bench.retrieval DIR… [--keep FOLDER] [--cases FILE] [--speed] [--boundaries] [--chunk-tokens N] [--json]

Each DIR has docs.jsonl, queries.jsonl and qrels.tsv. All ways search the same passages, and a document has its best
passage's score. `--keep` holds passages and vectors for the next run; `--cases` are small cases, a line of JSON each;
`--speed` measures what reading costs, `--boundaries` whether passages end where joined documents do.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Final

import numpy as np

from actors.memory.reader import PassageReader
from bench.claims import Claim, processor, report
from bench.retrieval import boundaries, cases, speed
from bench.retrieval.collection import DEPTH, Collection, Measures, load, measure
from bench.retrieval.ours import best_of, ours, ranks_fused
from bench.retrieval.peers import peers
from bench.retrieval.reading import Read, read
from protocol.home import Memory

AIMS: Final = {"cranfield": 0.57, "cisi": 0.45}
"""nDCG to be reached in collections that are known."""

AHEAD: Final = 0.01
"""How far ours has to be before the fusion of ranks."""

_FUSED: Final = "RRF(60)"


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.retrieval")
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--boundaries", action="store_true")
    parser.add_argument("--chunk-tokens", type=int, default=Memory().chunk_tokens)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not options.folders and not options.cases:
        parser.error("name a folder with a collection, or --cases")
    asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> None:
    settings = Memory(chunk_tokens=options.chunk_tokens)
    maker = PassageReader(settings)
    await maker.load()
    claims = []
    for folder in options.folders:
        collection = load(folder)
        found = await read(collection, maker, repr(settings), options.keep)
        if options.speed:  # first, while no word is known
            claims += await speed.claims([each.read for each in found.passages], maker)
        claims += _claims(collection, found)
        if options.boundaries:
            claims.append(await boundaries.claim(collection.name, collection.texts, maker))
    if options.cases:
        claims.append(await cases.claim(options.cases.name, options.cases.read_text().splitlines(), maker))
    maker.close()
    report("retrieval", claims, device=processor(), as_json=options.json)


def _claims(collection: Collection, found: Read) -> list[Claim]:
    measured = _measured(collection, found)
    own = measured.pop("ours")
    aim = max(AIMS.get(collection.name, 0), measured[_FUSED].ndcg + AHEAD)
    alone = max(each.ndcg for name, each in measured.items() if name != _FUSED)
    targets = {"ndcg": (f">= {aim:.3f} and above each alone", own.ndcg >= aim and own.ndcg > alone)}
    return [
        Claim(
            id=f"{collection.name}, {len(found.passages)} passages: {label}",
            ours=round(getattr(own, name), 4),
            peers={peer: round(getattr(each, name), 4) for peer, each in measured.items()},
            unit="of 1",
            target=targets.get(name, ("printed", True))[0],
            ok=targets.get(name, ("printed", True))[1],
        )
        for name, label in (("ndcg", f"nDCG@{DEPTH}"), ("recall", f"recall@{DEPTH}"), ("mrr", "MRR"))
    ]


def _measured(collection: Collection, found: Read) -> dict[str, Measures]:
    texts = [each.read for each in found.passages]
    ways = {"ours": ours(texts, found.vectors, found.owner), **peers(texts, found.vectors)}
    orders: dict[str, dict[str, list[str]]] = {name: {} for name in (*ways, _FUSED)}
    for (query, text), vector in zip(collection.queries.items(), found.queries, strict=True):
        scores = {name: best_of(way(text, vector), found.owner, len(collection.ids)) for name, way in ways.items()}
        scores[_FUSED] = ranks_fused([scores["bm25s"], scores["dense"]])
        for name, each in scores.items():
            orders[name][query] = [collection.ids[n] for n in np.argsort(-each, kind="stable")]
    return {name: measure(order, collection.gains) for name, order in orders.items()}


if __name__ == "__main__":
    main()
