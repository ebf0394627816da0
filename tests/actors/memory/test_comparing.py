"""Vectors for whoever compares texts himself, and the text of a document, over a stub bus with the real model."""

from __future__ import annotations

import struct

import pytest

from protocol.errors import BatosError
from protocol.messages import Embed, Index, Passages, Rank
from tests.actors.memory.test_actor import LONG, ask

pytestmark = pytest.mark.model

TEXTS = ["a bridge over a river", "a river and its bridge", "the law of taxes"]


async def test_vectors_are_those_that_memory_ranks_by(start):
    memory = await start()
    found = await ask(memory, "embed", Embed(texts=TEXTS))
    vectors = [struct.unpack(f"<{found.dimensions}f", row) for row in found.vectors]
    assert all(abs(sum(x * x for x in vector) - 1) < 1e-3 for vector in vectors)
    near = [sum(a * b for a, b in zip(vectors[0], vector, strict=True)) for vector in vectors]
    ranked = await ask(memory, "rank", Rank(query=TEXTS[0], texts=TEXTS))
    assert near == pytest.approx(ranked.scores, abs=1e-3)
    assert (found.model, found.tokens > len(TEXTS)) == ("all-MiniLM-L6-v2", True)


@pytest.mark.parametrize("count", [0, 257])
async def test_no_texts_and_too_many_are_refused(start, count):
    memory = await start()
    with pytest.raises(BatosError, match="texts at once") as refused:
        await ask(memory, "embed", Embed(texts=["a"] * count))
    assert (refused.value.code, refused.value.hint) == ("BAD_ARGUMENT", "Give 1 to 256.")


async def test_a_documents_text_is_given_page_by_page(start, monkeypatch):
    from actors.memory.documents import listing

    memory = await start()
    await ask(memory, "index", Index(doc_id="numbers", text=LONG, metadata={"kind": "document"}))
    whole = await ask(memory, "passages", Passages(doc_id="numbers"))
    assert (whole.next, whole.metadata) == (None, {"kind": "document"})
    assert all(LONG[one.start :].startswith(one.text) for one in whole.passages)
    assert sum(len(one.text) for one in whole.passages) >= len(LONG) - len(whole.passages)
    monkeypatch.setattr(listing, "PAGE_BYTES", 1)
    first = await ask(memory, "passages", Passages(doc_id="numbers"))
    second = await ask(memory, "passages", Passages(doc_id="numbers", after=first.next))
    assert [*first.passages, *second.passages] == whole.passages[:2]
    with pytest.raises(BatosError, match="UNKNOWN_DOCUMENT"):
        await ask(memory, "passages", Passages(doc_id="nothing"))
    with pytest.raises(BatosError, match="BAD_ARGUMENT"):
        await ask(memory, "passages", Passages(doc_id="numbers", after=-1))
