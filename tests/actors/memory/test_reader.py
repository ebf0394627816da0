"""Reading with the real model: passages are slices of the text, and a reading ends when nobody waits."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from actors.memory.reader import PassageReader
from protocol.errors import BatosError
from protocol.home import Memory

BIRDS = (
    "Birds are warm-blooded animals with feathers. Most birds can fly with their wings. "
    "A bird lays eggs in a nest. Young birds are fed by their parents."
)
BREAD = (
    "Bread is baked from flour and water. The dough rises with yeast before it is baked. "
    "A hot oven gives the loaf its crust. Fresh bread is best eaten with butter."
)


@pytest.fixture
async def reader(request):
    made = PassageReader(Memory(**getattr(request, "param", {})))
    await made.load()
    yield made
    made.close()


def never():
    return False


@pytest.mark.model
@pytest.mark.parametrize(
    "reader",
    [{"chunking": "changepoint", "chunk_tokens": 60}, {"chunking": "adjacent", "chunk_tokens": 60}],
    indirect=True,
)
async def test_a_passage_ends_where_the_topic_changes(reader):
    passages, vectors = await reader.passages(f"  {BIRDS}\n\n{BREAD}\n", never)
    assert any(passage.text.startswith("Bread is baked") for passage in passages)
    assert all(passage.text in BIRDS or passage.text in BREAD for passage in passages)
    assert len(passages) == len(vectors) < 8


@pytest.mark.model
@pytest.mark.parametrize("reader", [{"chunk_tokens": 60}], indirect=True)
async def test_the_exact_strategy_finds_two_topics(reader):
    passages, _ = await reader.passages(f"{BIRDS} {BREAD}", never)
    assert passages == [(BIRDS, 0, ""), (BREAD, len(BIRDS) + 1, "")]


@pytest.mark.model
async def test_a_document_within_the_cap_is_embedded_once_with_its_title(reader):
    told = []
    passages, vectors = await reader.passages(
        f"{BIRDS} {BREAD}", never, lambda *at: told.append(at), metadata={"title": "Birds and bread", "format": "text"}
    )
    assert passages == [(f"{BIRDS} {BREAD}", 0, "Birds and bread")]
    assert told == [(1, 1)]
    (expected,) = await reader.vectors([f"Birds and bread\n{BIRDS} {BREAD}"], never)
    assert vectors[0] @ expected == pytest.approx(1, abs=1e-5)


@pytest.mark.model
@pytest.mark.parametrize("reader", [{"chunk_tokens": 30}], indirect=True)
async def test_code_is_cut_between_definitions_where_the_document_says_that_it_is_code(reader):
    text = "\n".join(f"def double{n}(number):\n    return number * {n}\n" for n in range(6))
    passages, _ = await reader.passages(text, never, metadata={"format": "code"})
    assert len(passages) > 2
    assert all(each.text.startswith("def double") for each in passages)


@pytest.mark.model
@pytest.mark.parametrize("reader", [{"chunk_tokens": 20}], indirect=True)
async def test_no_passage_is_over_the_cap_and_none_of_the_text_is_lost(reader):
    text = f"{BIRDS}\n{'Sausage ' * 50}{'q' * 999}\n\n {'漢' * 70}. {BREAD}\t!"
    passages, _ = await reader.passages(text, never, metadata={"title": "A title of some words"})
    assert "".join("".join(each.text for each in passages).split()) == "".join(text.split())
    tokens = reader._embedder._tokenizer
    assert all(len(tokens.encode(each.read, add_special_tokens=False).ids) <= 20 for each in passages)


@pytest.mark.model
async def test_progress_counts_the_sentences_and_then_those_of_passages(reader):
    told = []
    text = " ".join(f"Sentence number {n} stands here." for n in range(60))
    await reader.passages(text, never, lambda done, total: told.append((done, total)))
    assert told[:4] == [(16, 120), (32, 120), (48, 120), (60, 120)]
    assert told[-1] == (120, 120)


@pytest.mark.model
async def test_it_ends_at_the_next_batch_when_nobody_waits(reader):
    told = []
    with pytest.raises(BatosError) as caught:
        await reader.vectors(["text"] * 40, lambda: len(told) == 1, lambda *at: told.append(at))
    assert (caught.value.code, told) == ("CANCELLED", [(16, 40)])


@pytest.mark.model
async def test_a_short_question_does_not_wait_for_a_long_document(reader):
    order = []
    long = asyncio.create_task(reader.vectors(["text"] * 80, never, lambda done, _total: order.append(done)))
    while not order:
        await asyncio.sleep(0)
    await reader.vectors(["short"], never, lambda *_: order.append("short"))
    await long
    assert order.index("short") < order.index(80)


@pytest.mark.model
async def test_a_question_has_its_vector_from_a_thread_of_its_own(reader):
    found = await reader.question("What sings?")
    assert np.allclose(found, (await reader.vectors(["What sings?"], never))[0])


@pytest.mark.model
async def test_no_texts_have_no_vectors(reader):
    assert len(await reader.vectors([], never)) == 0


async def test_before_the_model_is_there_it_says_so():
    assert not PassageReader(Memory()).is_loaded
    reader = PassageReader(Memory())
    with pytest.raises(BatosError) as caught:
        await reader.passages("text", never)
    assert caught.value.code == "NOT_READY"
    reader.close()


@pytest.mark.parametrize("cap", [0, -1, 15, 5000])
def test_a_senseless_cap_is_refused(cap):
    with pytest.raises(BatosError) as caught:
        PassageReader(Memory(chunk_tokens=cap))
    assert caught.value.code == "BAD_CONFIG"
