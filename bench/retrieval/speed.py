"""What reading costs: terms by themselves, vectors beside plain sentence-transformers on the same texts, both in one run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from actors.memory.embedding import find_model
from actors.memory.reader import PassageReader
from actors.memory.texts.words import document_terms
from bench.claims import Claim

TEXTS: Final = 256
"""Passages that are embedded, spread over the collection."""

BATCHES: Final = (8, 16, 32, 64)
"""Sizes of a batch that the peer tries: its best counts."""

TERMS_A_SECOND: Final = 4000
EMBEDDING: Final = 0.9


async def claims(texts: Sequence[str], maker: PassageReader) -> list[Claim]:
    """Passages a second of the processor, on one thread, so that what else the machine does changes little."""
    began = time.process_time()
    for text in texts:
        document_terms(text)
    terms = len(texts) / (time.process_time() - began)
    some = list(texts[:: max(1, len(texts) // TEXTS)])
    model = _plain()
    peers: dict[int, float] = {}
    own = 0.0
    for _ in range(2):  # the better of two: what else the machine does is nobody's merit
        began = time.process_time()
        await maker.vectors(some, lambda: False)
        own = max(own, len(some) / (time.process_time() - began))
        for size in BATCHES:
            rate = _rate(lambda size=size: model.encode(some, batch_size=size), len(some))  # type: ignore[misc]
            peers[size] = max(peers.get(size, 0.0), rate)
    best = max(peers.values())
    return [
        Claim(
            id=f"terms of {len(texts)} passages, {sum(map(len, texts)) // len(texts)} characters each",
            ours=round(terms),
            peers={},
            unit="passages a second of the processor",
            target=f">= {TERMS_A_SECOND}",
            ok=terms >= TERMS_A_SECOND,
        ),
        Claim(
            id=f"vectors of {len(some)} of them",
            ours=round(own, 1),
            peers={f"sentence-transformers, {size} at once": round(rate, 1) for size, rate in peers.items()},
            unit="passages a second of the processor",
            target=f">= {EMBEDDING} x its best",
            ok=own >= EMBEDDING * best,
        ),
    ]


def _plain() -> Any:
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - seconds of imports

    return SentenceTransformer(str(find_model("")), device="cpu", local_files_only=True)


def _rate(work: Callable[[], object], count: int) -> float:
    began = time.process_time()
    work()
    return count / (time.process_time() - began)
