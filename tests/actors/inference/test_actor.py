from __future__ import annotations

import asyncio
import threading

import pytest
from tokenizers import Tokenizer, models

from actors.inference import actor
from actors.inference.actor import Inference
from actors.inference.base_model import kept_model, load_model
from actors.inference.experts import repository
from bus.stub import StubBus
from protocol import verbs
from protocol.errors import BatosError
from protocol.messages import Infer, Piece, Row, Sampling, StatusQuery
from world.store import open_store

from .conftest import home_of
from .kinds import REFUSED, byte_tokenizer, model_folder


def bus_of(inference):
    return StubBus({("inference", verb): handler for verb, handler in inference.handlers().items()})


async def ask(bus, *rows, **more):
    return await bus.call(verbs.INFER, Infer(rows=list(rows), **more), seconds=30)


async def test_a_first_start_incarnates_and_a_second_one_only_loads(home):
    digests = []
    for _ in range(2):
        inference = Inference(home)
        await inference.begin()
        status = await bus_of(inference).call(verbs.STATUS["inference"], StatusQuery(), seconds=5)
        assert status.ready
        assert status.waiting_for == ""
        digests.append(status.detail["digest"])
        assert not (home.root / "incarnation").exists()
        assert (await ask(bus_of(inference), Row(prompt="a", max_tokens=3))).model == digests[-1]
        await inference.close()
    assert digests[0] == digests[1]
    store = open_store(home.settings(), home, name="test", seconds=1)
    history = [entry["description"] for entry in store.db.storage.undoLog(0, 10)]
    kept = kept_model(store)
    store.close()
    assert len([text for text in history if text.startswith(b"incarnation of")]) == 1
    assert kept is not None
    assert all(str(path).startswith(str(home.blobs)) for path in kept.files.values())


async def test_until_it_is_ready_it_says_what_it_waits_for(home):
    inference = Inference(home)
    status = await bus_of(inference).call(verbs.STATUS["inference"], StatusQuery(), seconds=5)
    assert (status.ready, status.waiting_for) == (False, "the storage server")
    with pytest.raises(BatosError) as caught:
        await ask(bus_of(inference), Row(prompt="a"))
    assert caught.value.code == "NOT_READY"
    await inference.close()


async def test_a_model_that_cannot_be_used_is_named_and_not_waited_for(home):
    text = home.config.read_text()
    home.config.write_text(text.replace('model = "', 'model = "/nowhere'))
    inference = Inference(home)
    with pytest.raises(BatosError, match="no model at /nowhere") as caught:
        await inference.begin()
    assert caught.value.code == "BAD_MODEL"
    await inference.close()


NO_BYTES = Tokenizer(models.WordLevel({word: n for n, word in enumerate(["<end>", "the", "light", "ships"])}))


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("Bert", {}, "reads what comes after a word too"),
        ("OpenAIGPT", REFUSED["OpenAIGPT"][0], "cannot be served: the model failed"),
        ("Llama", {"tokenizer": byte_tokenizer(tokenizer_object=NO_BYTES), "eos_token_id": 0}, "WordLevel"),
        ("Llama", {"vocab_size": 200, "eos_token_id": 10, "tokenizer": byte_tokenizer(eos_token=None)}, "a token 256"),
    ],
)
async def test_a_model_that_cannot_be_served_is_refused_before_anything_is_stored(short_path, kind, changes, said):
    home = home_of(short_path, model_folder(short_path / "model", kind, **changes))
    inference = Inference(home)
    with pytest.raises(BatosError, match=said) as caught:
        await inference.begin()
    await inference.close()
    assert (caught.value.code, bool(caught.value.hint)) == ("BAD_MODEL", True)
    store = open_store(home.settings(), home, name="test", seconds=1)
    kept = kept_model(store)
    store.close()
    assert kept is None
    assert not (home.root / "incarnation").exists()


async def test_what_a_first_start_leaves_on_the_disk_is_found_where_the_world_keeps_it(home):
    home.config.write_text(home.config.read_text() + 'memory_bytes = 60000\ndtype = "float32"\n')
    said = []
    for _ in range(2):
        inference = Inference(home)
        await inference.begin()
        model = inference._engine.generator.model
        assert "disk" in model.hf_device_map.values()
        assert all(str(path.resolve()).startswith(str(home.blobs)) for path in (home.root / "model").iterdir())
        said.append(
            (await ask(bus_of(inference), Row(prompt="a", max_tokens=9, sampling=Sampling(temperature=0)))).rows
        )
        await inference.close()
    assert said[0] == said[1]


async def test_a_world_that_is_away_while_experts_are_waited_for_costs_no_second_load(home, monkeypatch):
    loads, looks, there = [], [], threading.Event()

    def load(*asked):
        loads.append(asked)
        return load_model(*asked)

    def look(store):
        looks.append(inference.waiting_for)
        if not there.is_set():
            raise BatosError("STORAGE", "the storage server does not answer")
        return experts(store)

    experts = repository.experts
    monkeypatch.setattr(actor, "load_model", load)
    monkeypatch.setattr(repository, "experts", look)
    monkeypatch.setattr(Inference, "retry_s", 0.01)
    inference = Inference(home)
    beginning = asyncio.create_task(inference.begin())
    async with asyncio.timeout(60):
        while len(looks) < 3:
            await asyncio.sleep(0.01)
    status = await bus_of(inference).call(verbs.STATUS["inference"], StatusQuery(), seconds=5)
    assert not status.ready
    assert status.waiting_for
    there.set()
    await beginning
    assert set(looks) == {"the experts that are staged or pinned"}
    assert len(loads) == 1  # what was tried before it was kept is what serves
    status = await bus_of(inference).call(verbs.STATUS["inference"], StatusQuery(), seconds=5)
    assert (status.ready, status.waiting_for) == (True, "")
    assert (await ask(bus_of(inference), Row(prompt="a", max_tokens=3))).model == status.detail["digest"]
    await inference.close()


async def test_pieces_stream_and_a_bad_row_costs_only_its_own_call(home):
    inference = Inference(home)
    await inference.begin()
    bus = bus_of(inference)
    with pytest.raises(BatosError) as caught:
        await ask(bus, Row(prompt="a", grammar="start: nothing"))
    assert caught.value.code == "BAD_CONSTRAINT"
    pieces: list[Piece] = []
    row = Row(prompt="a", max_tokens=30, sampling=Sampling(temperature=0))
    request = Infer(rows=[row], stream=True)
    whole = await bus.call(verbs.INFER, request, seconds=30, on_partial=pieces.append)
    await asyncio.sleep(0)
    assert "".join(piece.text for piece in pieces) == whole.rows[0].text
    await inference.close()


async def test_a_call_ends_before_its_deadline(home, monkeypatch):
    inference = Inference(home)
    await inference.begin()
    row = Row(prompt="a", max_tokens=5, sampling=Sampling(temperature=0))
    assert (await ask(bus_of(inference), row)).rows[0].tokens > 0
    # A margin as long as the time that is left: the call has to end with what it has.
    monkeypatch.setattr(actor, "MARGIN_S", 60.0)
    stopped = (await ask(bus_of(inference), row)).rows[0]
    await inference.close()
    assert (stopped.finish, stopped.tokens) == ("length", 0)
