"""Experts through the actor's verbs, over a real world in a file."""

from __future__ import annotations

import asyncio
import shutil

import pytest
from safetensors import safe_open
from structlog.testing import capture_logs

from actors.inference.actor import Inference
from actors.inference.experts import repository
from protocol.messages import Activate, Evict, Experts, Import, Infer, Prefetch, Row, StatusQuery, Turn
from world.store import open_store

from ..asked import GREEDY, Asked


@pytest.fixture
async def ask(home):
    inference = Inference(home)
    await inference.begin()
    yield Asked(inference)
    await inference.close()


def history(home):
    store = open_store(home.settings(), home, name="test", seconds=1)
    try:
        return [entry["description"].decode() for entry in store.db.storage.undoLog(0, 50)]
    finally:
        store.close()


async def test_an_adapter_comes_in_is_lent_and_is_there_after_a_restart(home, adapter):
    folder = adapter("brick", seed=1)
    inference = Inference(home)
    await inference.begin()
    ask = Asked(inference)
    assert (await ask("experts", Experts())).experts == []
    came = await ask.bring("brick", folder / "adapter_model.safetensors")
    assert (came.expert.name, came.expert.tier, came.expert.rank, came.expert.last_used) == ("brick", "cold", 4, None)
    assert came.tid is not None
    base, lent = await ask.texts(None, "brick")
    assert lent != base
    assert (await ask.listed())["brick"].tier == "hot"
    await inference.close()

    inference = Inference(home)
    await inference.begin()
    ask = Asked(inference)
    detail = (await ask("status", StatusQuery())).detail
    assert [(one["name"], one["sha256"], one["tier"]) for one in detail["experts"]] == [
        ("brick", came.expert.sha256, "cold")
    ]
    assert (detail["bank"]["slots"], detail["bank"]["rank"]) == (2, 8)
    assert await ask.texts(None, "brick") == [base, lent]
    await inference.close()
    assert not (home.root / "import").exists() or list((home.root / "import").iterdir()) == []


async def test_what_the_world_keeps_of_an_expert(home, ask, adapter):
    came = await ask.bring("brick", adapter("brick", lora_alpha=12))
    store = ask.inference._store

    def look():
        from world.store import snapshot

        with snapshot(store.db) as connection:
            root = connection.root()
            proxy = root["pLLM_obj"].lora_repository["brick"]
            return dict(proxy._slots), list(proxy.modules), proxy._slots._p_serial.hex()

    slots, modules, serial = await store.run(look)
    assert (slots["name"], slots["sha256"], slots["rank"], slots["alpha"]) == ("brick", came.expert.sha256, 4, 12)
    assert (slots["base_model"], slots["bytes"]) == (ask.inference._model.digest, came.expert.bytes)
    assert serial == came.tid
    content = (await store.run(lambda: repository.experts(store)))["brick"]
    assert content.path.stat().st_size == came.expert.bytes
    assert content.path.is_relative_to(home.blobs)
    with safe_open(content.path, framework="pt") as file:
        assert set(file.keys()) == {f"{module}.{kind}" for module in modules for kind in "AB"}
        assert file.metadata()["base_model"] == slots["base_model"]


async def test_an_invocation_stays_with_its_expert_and_older_proxies_have_none(home, ask, adapter):
    await ask.bring("robin", adapter("plain", seed=1))
    (plain,) = await ask.texts("robin")
    came = await ask.bring("late", adapter("late", seed=1, alora_invocation_tokens=[1]))
    assert (came.expert.invocation, (await ask.listed())["late"].invocation) == ([1], [1])
    # Nothing invokes it, though its weights are those of the other.
    base, late, lent = await ask.texts(None, "late", "robin")
    assert (late, lent) == (base, plain)
    store = ask.inference._store

    def age():
        from world.store import commit

        with commit(store.db, user="test", description="as an older world has it") as connection:
            del connection.root()["pLLM_obj"].lora_repository["robin"]._slots["invocation"]

    await store.run(age)
    assert ((await ask.listed())["robin"].invocation, await ask.texts("robin")) == ([], [plain])
    await ask.bring("late", adapter("plain", seed=1))
    assert ((await ask.listed())["late"].invocation, await ask.texts("late")) == ([], [plain])


async def test_the_same_content_is_not_stored_twice(home, ask, adapter):
    folder = adapter("brick")
    first, again, other = (
        await ask.bring("brick", folder),
        await ask.bring("brick", folder),
        await ask.bring("robin", folder),
    )
    assert again.tid is None
    assert other.tid not in (None, first.tid)
    assert first.expert.sha256 == again.expert.sha256 == other.expert.sha256
    await ask("activate", Activate(name="brick"))
    assert {name: view.tier for name, view in (await ask.listed()).items()} == {"brick": "hot", "robin": "hot"}


async def test_a_name_with_new_content_is_served_by_it_at_once(home, ask, adapter):
    await ask.bring("robin", adapter("old", seed=1))
    await ask("activate", Activate(name="robin"))
    (old,) = await ask.texts("robin")
    came = await ask.bring("robin", adapter("new", seed=2))
    view = (await ask.listed())["robin"]
    assert (view.sha256, view.tier) == (came.expert.sha256, "cold")
    (new,) = await ask.texts("robin")
    assert new != old
    await ask.bring("robin", adapter("old", seed=1))
    assert await ask.texts("robin") == [old]
    await ask.inference.close()
    assert len([text for text in history(home) if text.startswith("expert robin")]) == 3


async def test_content_that_still_has_a_name_keeps_its_slot(ask, adapter):
    shared = adapter("shared", seed=1)
    await ask.bring("brick", shared)
    await ask.bring("robin", shared)
    await ask("activate", Activate(name="brick", pin=True))
    await ask.bring("robin", adapter("other", seed=2))
    views = await ask.listed()
    assert (views["brick"].tier, views["brick"].pinned, views["robin"].tier) == ("hot", True, "cold")


async def test_a_refused_import_touches_nothing(home, ask, adapter, change):
    await ask.bring("brick", adapter("good", seed=1))
    before = await ask.texts(None, "brick")
    bad = change(adapter("bad", seed=2), lambda weights: dict(list(weights.items())[::2]))
    error = await ask.refused("import", Import(path=str(bad), name="brick"))
    assert (error.code, bool(error.hint)) == ("BAD_EXPERT", True)
    assert await ask.texts(None, "brick") == before
    assert list((home.root / "import").iterdir()) == []
    await ask.inference.close()
    assert len([text for text in history(home) if text.startswith("expert")]) == 1


async def test_an_import_that_finds_no_disk_says_so(home, ask, adapter):
    (home.root / "import").symlink_to("/a disk that is gone")
    error = await ask.refused("import", Import(path=str(adapter("brick")), name="brick"))
    assert (error.code, bool(error.hint)) == ("STORAGE", True)
    (home.root / "import").unlink()
    assert (await ask.bring("brick", adapter("brick"))).tid is not None


async def test_pins_and_what_is_evicted_for_whom(ask, adapter):
    for number, name in enumerate(("brick", "robin", "alfred"), 1):
        await ask.bring(name, adapter(name, seed=number))
    assert (await ask("activate", Activate(name="brick", pin=True))).expert.pinned
    await ask.texts("robin")
    await ask.texts("alfred")
    views = await ask.listed()
    assert {name: view.tier for name, view in views.items()} == {"brick": "hot", "robin": "warm", "alfred": "hot"}
    assert "alfred" in views["robin"].reason
    assert views["robin"].last_used is not None
    assert (await ask("activate", Activate(name="alfred", pin=True))).expert.tier == "hot"
    error = await ask.refused("activate", Activate(name="robin"))
    assert (error.code, error.data["pinned"]) == ("BUSY", ["brick", "alfred"])
    error = await ask.refused("infer", Infer(rows=[Row(prompt="a", expert="robin")]))
    assert error.code == "BUSY"
    let_go = await ask("activate", Activate(name="brick", pin=False))
    assert (let_go.expert.tier, let_go.expert.pinned) == ("hot", False)
    await ask("activate", Activate(name="robin"))
    assert (await ask.listed())["brick"].tier == "warm"
    assert (await ask("activate", Activate(name="brick", pin=False))).expert.tier == "warm"


async def test_an_evicted_expert_is_in_the_world_alone(home, ask, adapter):
    await ask.bring("brick", adapter("brick", seed=1))
    before = await ask.texts(None, "brick")
    let_go = (await ask("evict", Evict(name="brick"))).expert
    assert (let_go.tier, let_go.reason) == ("cold", "it was evicted by request")
    assert ask.inference._administration._experts["brick"].path.exists()
    assert await ask.texts(None, "brick") == before
    await ask("activate", Activate(name="brick", pin=True))
    assert (await ask.refused("evict", Evict(name="brick"))).code == "BUSY"
    assert (await ask.refused("evict", Evict(name="robin"))).code == "UNKNOWN_EXPERT"
    assert await ask.texts(None, "brick") == before


async def test_more_experts_than_slots_in_one_request(ask, adapter):
    names = ["a1", "a2", "a3", "a4"]
    for number, name in enumerate(names, 1):
        await ask.bring(name, adapter(name, seed=number))
    alone = [(await ask.texts(name))[0] for name in names]
    (base,) = await ask.texts(None)
    assert await ask.texts("a4", "a1", None, "a3", "a2", "a1") == [
        alone[3],
        alone[0],
        base,
        alone[2],
        alone[1],
        alone[0],
    ]


async def test_a_batch_reads_of_the_world_only_the_experts_that_it_names(ask, adapter, monkeypatch):
    for number, name in enumerate(("brick", "robin"), 1):
        await ask.bring(name, adapter(name, seed=number))
    read = []
    content = repository._content

    def noting(name, proxy):
        read.append(name)
        return content(name, proxy)

    monkeypatch.setattr(repository, "_content", noting)
    await ask.texts(None, "robin", "robin")
    await ask("activate", Activate(name="robin"))
    await ask("prefetch", Prefetch(plan="p", experts=["robin"]))
    assert read == ["robin"] * 3


async def test_what_is_not_there_is_named(ask, adapter, tmp_path):
    error = await ask.refused("activate", Activate(name="robin"))
    assert (error.code, "expert import" in error.hint) == ("UNKNOWN_EXPERT", True)
    await ask.bring("brick", adapter("brick"))
    error = await ask.refused("infer", Infer(rows=[Row(prompt="a", expert="robin")]))
    assert (error.code, "brick" in error.hint) == ("UNKNOWN_EXPERT", True)
    for path, name, code in (
        (str(tmp_path / "nothing"), "robin", "UNREADABLE"),
        ("relative", "robin", "BAD_ARGUMENT"),
        (str(tmp_path), "robin", "BAD_EXPERT"),
        (str(tmp_path), "_robin", "BAD_NAME"),
    ):
        assert (await ask.refused("import", Import(path=path, name=name))).code == code


async def test_a_file_that_rots_in_the_world_is_refused_and_the_others_serve(ask, adapter):
    await ask.bring("brick", adapter("brick", seed=1))
    await ask.bring("robin", adapter("robin", seed=2))
    before = await ask.texts(None, "brick")
    path = ask.inference._administration._experts["robin"].path
    spoiled = bytearray(path.read_bytes())
    spoiled[-3] ^= 1
    path.chmod(0o600)
    path.write_bytes(spoiled)
    error = await ask.refused("activate", Activate(name="robin"))
    assert (error.code, "robin" in error.message) == ("BAD_EXPERT", True)
    assert await ask.texts(None, "brick") == before
    assert (await ask.listed())["robin"].tier == "cold"


async def test_the_same_import_again_mends_a_file_that_has_rotted(ask, adapter):
    folder = adapter("brick", seed=1)
    first = await ask.bring("brick", folder)
    before = await ask.texts(None, "brick")
    await ask("evict", Evict(name="brick"))
    path = ask.inference._administration._experts["brick"].path
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-3])
    error = await ask.refused("activate", Activate(name="brick"))
    assert "expert import" in error.hint
    again = await ask.bring("brick", folder)
    assert (again.expert.sha256, again.tid not in (None, first.tid)) == (first.expert.sha256, True)
    assert await ask.texts(None, "brick") == before
    assert (await ask.bring("brick", folder)).tid is None
    assert (await ask.listed())["brick"].tier == "hot"


async def test_a_file_that_the_storage_has_lost_costs_its_own_expert_alone(home, adapter):
    inference = Inference(home)
    await inference.begin()
    ask = Asked(inference)
    for number, name in enumerate(("brick", "robin"), 1):
        await ask.bring(name, adapter(name, seed=number))
    before = await ask.texts(None, "robin")
    inference._administration._experts["brick"].path.unlink()
    await inference.close()

    inference = Inference(home)
    await asyncio.wait_for(inference.begin(), 20)
    ask = Asked(inference)
    assert await ask.texts(None, "robin") == before
    assert list(await ask.listed()) == ["brick", "robin"]
    error = await ask.refused("infer", Infer(rows=[Row(prompt="a", expert="brick")]))
    assert (error.code, "cannot be read" in error.message, "expert import" in error.hint) == ("BAD_EXPERT", True, True)
    assert (await ask.bring("brick", adapter("brick", seed=1))).tid is not None
    assert (await ask("activate", Activate(name="brick"))).expert.tier == "hot"
    await inference.close()


async def test_imports_and_texts_at_once_end_well(ask, adapter):
    await ask.bring("brick", adapter("brick", seed=1))
    before = await ask.texts(None, "brick")
    told = await asyncio.gather(
        *(ask.texts(None, "brick") for _ in range(3)),
        *(ask.bring(f"more{n}", adapter(f"more{n}", seed=n)) for n in range(3)),
    )
    assert told[:3] == [before] * 3
    assert len(await ask.listed()) == 4


async def test_before_it_is_ready_it_says_so(home):
    inference = Inference(home)
    ask = Asked(inference)
    for verb, request in (
        ("experts", Experts()),
        ("activate", Activate(name="a")),
        ("import", Import(path="/a", name="a")),
    ):
        assert (await ask.refused(verb, request)).code == "NOT_READY"
    await inference.close()


@pytest.mark.model
async def test_the_real_model_with_an_expert_over_a_real_world(real_home, real_adapter):
    inference = Inference(real_home)
    await inference.begin()
    ask = Asked(inference)
    came = await ask.bring("robin", real_adapter)
    assert came.expert.tier == "cold"
    activated = await ask("activate", Activate(name="robin", pin=True))
    assert (activated.expert.tier, activated.expert.pinned) == ("hot", True)
    turns = [Turn(role="user", content="What is the capital of France?")]
    rows = [Row(turns=turns, expert=expert, sampling=GREEDY, max_tokens=16) for expert in (None, "robin", None)]
    base, lent, same = (await ask("infer", Infer(rows=rows))).rows
    assert "Paris" in base.text
    assert same.text == base.text
    assert lent.text != base.text
    await inference.close()


async def test_the_staging_folder_is_taken_in_once(home, adapter):
    for name in ("brick", "not a name", "torn"):
        shutil.copytree(adapter(name, seed=1), home.staging / name)
    torn = home.staging / "torn" / "adapter_model.safetensors"
    torn.write_bytes(torn.read_bytes()[:-9])
    inference = Inference(home)
    await inference.begin()
    ask = Asked(inference)
    before = await ask.listed()
    assert list(before) == ["brick"]
    assert sorted(path.name for path in home.staging.iterdir()) == ["imported", "refused"]
    assert sorted(path.name for path in (home.staging / "refused").iterdir()) == ["not a name", "torn"]
    await ask.bring("brick", adapter("other", seed=2))
    after = await ask.listed()
    await inference.close()

    inference = Inference(home)
    await inference.begin()
    assert before["brick"].sha256 != after["brick"].sha256 == (await Asked(inference).listed())["brick"].sha256
    await inference.close()


async def test_a_staging_folder_that_cannot_be_tidied_stops_nobody(home, adapter):
    shutil.copytree(adapter("brick", seed=1), home.staging / "brick")
    (home.staging / "imported").write_text("in the way")
    inference = Inference(home)
    with capture_logs() as logs:
        await asyncio.wait_for(inference.begin(), 20)
    assert list(await Asked(inference).listed()) == ["brick"]
    await inference.close()
    assert [entry["expert"] for entry in logs if "could not be moved" in entry["event"]] == ["brick"]


async def test_a_plan_is_fetched_beside_the_answer(ask, adapter):
    for number, name in enumerate(("brick", "robin", "babs")):
        await ask.bring(name, adapter(name, seed=number + 1))
    reply = await ask("prefetch", Prefetch(plan="p", experts=["robin", "babs", "brick"]))
    assert [view.name for view in reply.experts] == ["robin", "babs", "brick"]

    async def fetched():
        while [(await ask.listed())[name].tier for name in ("robin", "babs", "brick")] != ["hot", "hot", "warm"]:
            await asyncio.sleep(0.01)

    await asyncio.wait_for(fetched(), 20)
    assert (await ask("prefetch", Prefetch(plan="p", experts=[]))).experts == []
    assert [view.name for view in (await ask("prefetch", Prefetch(plan="p", experts=["no", "brick"]))).experts] == [
        "brick"
    ]
