"""The inference actor with a model server behind it: experts of a real world, and the server's comings and goings."""

from __future__ import annotations

import asyncio

import pytest

from actors.inference.actor import Inference
from bus.stub import StubBus
from protocol import verbs
from protocol.errors import BatosError
from protocol.messages import Activate, BaseModel, Evict, Experts, Import, Infer, Row, StatusQuery

from ..asked import GREEDY, Asked
from ..fake_server import FakeServer, Refusal


@pytest.fixture
def fake(tiny):
    made = FakeServer(tiny)
    yield made
    made.stop()


@pytest.fixture
def remote_home(home, fake):
    home.config.write_text(home.config.read_text() + f'engine = "openai"\nurl = "{fake.url}"\ndtype = "float32"\n')
    return home


@pytest.fixture
async def bus(remote_home):
    inference = Inference(remote_home)
    await inference.begin()
    yield StubBus({("inference", verb): handler for verb, handler in inference.handlers().items()})
    await inference.close()


async def texts(bus, *experts):
    rows = [Row(prompt="hello", expert=expert, sampling=GREEDY, max_tokens=16) for expert in experts]
    return [row.text for row in (await bus.call(verbs.INFER, Infer(rows=rows), seconds=30)).rows]


async def test_experts_of_the_world_speak_through_the_server(bus, fake, adapter, remote_home):
    folder = adapter("brick", seed=1)
    came = await bus.call(verbs.IMPORT, Import(path=str(folder), name="brick"), seconds=30)
    assert (came.expert.tier, came.tid is not None) == ("cold", True)
    base, lent = await texts(bus, None, "brick")
    assert base != lent
    assert list(fake.roots) == [came.expert.sha256]
    assert not (remote_home.root / "incarnation").exists()
    again = await bus.call(verbs.IMPORT, Import(path=str(adapter("new", seed=2)), name="brick"), seconds=30)
    assert fake.roots == {}, "the old content has no name any more"
    assert (await texts(bus, "brick"))[0] not in {base, lent}
    assert list(fake.roots) == [again.expert.sha256]
    listed = (await bus.call(verbs.EXPERTS, Experts(), seconds=5)).experts
    assert [(view.name, view.tier) for view in listed] == [("brick", "hot")]
    status = await bus.call(verbs.STATUS["inference"], StatusQuery(), seconds=5)
    assert (status.ready, status.detail["device"], status.detail["served"]) == (True, fake.url, "tiny")
    told = await bus.call(verbs.MODEL, BaseModel(), seconds=5)
    assert (told.grammars, told.abilities.engine, told.abilities.lora) == (True, "vLLM", "load")
    assert (await bus.call(verbs.ACTIVATE, Activate(name="brick", pin=True), seconds=5)).expert.pinned


async def test_a_pin_holds_though_actor_and_server_come_and_go(remote_home, fake, adapter):
    inference = Inference(remote_home)
    await inference.begin()
    ask = Asked(inference)
    old = await ask.bring("brick", adapter("old", seed=1))
    assert (await ask("activate", Activate(name="brick", pin=True))).tid is not None
    await inference.close()

    fake.restart()
    inference = Inference(remote_home)
    await inference.begin()
    ask = Asked(inference)
    assert list(fake.roots) == [old.expert.sha256]
    fake.faults["unlisted"] = True
    new = await ask.bring("brick", adapter("new", seed=2))
    assert (new.expert.tier, new.expert.pinned, "does not list it" in new.expert.reason) == ("cold", True, True)
    fake.faults.clear()
    await ask.texts("brick")
    view = (await ask.listed())["brick"]
    assert (view.sha256, view.tier, view.pinned, view.reason) == (new.expert.sha256, "hot", True, "")
    assert (await ask.refused("evict", Evict(name="brick"))).code == "BUSY"
    await inference.close()


async def test_an_import_counts_though_the_server_is_away(bus, fake, adapter):
    await bus.call(verbs.IMPORT, Import(path=str(adapter("old", seed=1)), name="brick"), seconds=30)
    await texts(bus, "brick")
    fake.stop()
    came = await bus.call(verbs.IMPORT, Import(path=str(adapter("new", seed=2)), name="brick"), seconds=30)
    assert came.tid is not None
    with pytest.raises(BatosError) as caught:
        await texts(bus, None)
    assert caught.value.code == "NOT_READY"


async def test_an_import_counts_though_the_server_does_not_forget(bus, fake, adapter, monkeypatch):
    await bus.call(verbs.IMPORT, Import(path=str(adapter("old", seed=1)), name="brick"), seconds=30)
    await bus.call(verbs.ACTIVATE, Activate(name="brick", pin=True), seconds=30)

    def broken(_):
        raise Refusal(500, "boom")

    monkeypatch.setattr(fake, "unload", broken)
    came = await bus.call(verbs.IMPORT, Import(path=str(adapter("new", seed=2)), name="brick"), seconds=30)
    assert (came.tid is not None, came.expert.tier, came.expert.pinned) == (True, "hot", True)
    assert came.expert.sha256 in fake.roots


@pytest.mark.parametrize("turn", [1, -1], ids=["local, then remote", "remote, then local"])
async def test_an_expert_of_another_base_model_than_the_loaded_one_says_so(home, fake, adapter, turn):
    local = home.config.read_text()
    remote = local + f'engine = "openai"\nurl = "{fake.url}"\ndtype = "float32"\n'
    first, then = (local, remote)[::turn]
    home.config.write_text(first)
    inference = Inference(home)
    await inference.begin()
    came = (await Asked(inference).bring("brick", adapter("brick", seed=1))).expert
    await inference.close()
    assert came.reason == ""

    home.config.write_text(then)
    inference = Inference(home)
    await inference.begin()
    ask = Asked(inference)
    await ask.bring("robin", adapter("robin", seed=2))
    await ask("evict", Evict(name="brick"))
    detail = (await ask("status", StatusQuery())).detail
    said = f"made for the base model {came.base_model[:12]}…, and {detail['digest'][:12]}… is loaded"
    told = f"{said}: its persona speaks through prompts"
    assert {name: view.reason for name, view in (await ask.listed()).items()} == {"brick": told, "robin": ""}
    assert [one["reason"] for one in detail["experts"]] == [told, ""]
    error = await ask.refused("activate", Activate(name="brick"))
    assert (error.code, said in error.message) == ("BAD_EXPERT", True)
    await inference.close()


async def test_until_the_server_is_there_the_actor_waits_for_it(remote_home, fake):
    text = remote_home.config.read_text()
    remote_home.config.write_text(text.replace(fake.url, "http://127.0.0.1:9"))
    inference = Inference(remote_home)
    beginning = asyncio.create_task(inference.begin())
    async with asyncio.timeout(60):
        while "no model server answers at http://127.0.0.1:9" not in inference.waiting_for:
            await asyncio.sleep(0.01)
    beginning.cancel()
    await asyncio.gather(beginning, return_exceptions=True)
    await inference.close()
