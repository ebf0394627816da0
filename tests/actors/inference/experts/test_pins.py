"""Pins: kept in the world, and found again on the device after any restart."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time

import pytest
from structlog.testing import capture_logs

from actors.inference.actor import Inference
from actors.inference.experts import repository
from ops.zeo import ruok
from protocol.errors import BatosError
from protocol.messages import Activate, Evict, StatusQuery
from world import awakening
from world.store import open_store, snapshot

from ..asked import Asked


@contextlib.asynccontextmanager
async def started(home):
    inference = Inference(home)
    try:
        await inference.begin()
        yield Asked(inference)
    finally:
        await inference.close()


async def bring(ask, adapter, *names):
    for number, name in enumerate(names, 1):
        await ask.bring(name, adapter(name, seed=number))


async def pin(ask, name, on=True):
    return await ask("activate", Activate(name=name, pin=on))


async def places(ask):
    return {name: (view.tier, view.pinned) for name, view in (await ask.listed()).items()}


async def in_the_world(ask):
    store = ask.inference._store
    return await store.run(lambda: repository.pinned(store))


async def test_a_pin_holds_after_a_restart_until_it_is_let_go(home, adapter):
    async with started(home) as ask:
        await bring(ask, adapter, "brick", "robin", "alfred")
        store = ask.inference._store
        assert (await pin(ask, "brick", on=False)).tid is None
        first = await pin(ask, "brick")
        assert (first.tid is not None, first.expert.pinned) == (True, True)
        assert (await pin(ask, "brick")).tid is None
        assert await store.run(lambda: store.db.storage.undoLog(0, 1)[0]["description"]) == b"pin expert brick"
    async with started(home) as ask:
        assert await places(ask) == {"alfred": ("cold", False), "brick": ("hot", True), "robin": ("cold", False)}
        detail = (await ask("status", StatusQuery())).detail
        assert [(one["name"], one["pinned"]) for one in detail["experts"] if one["tier"] == "hot"] == [("brick", True)]
        await ask.texts("robin")
        await ask.texts("alfred")
        assert (await places(ask))["brick"] == ("hot", True)
        assert (await ask.refused("evict", Evict(name="brick"))).code == "BUSY"
        let_go = await pin(ask, "brick", on=False)
        assert (let_go.tid not in (None, first.tid), let_go.expert.pinned) == (True, False)
    async with started(home) as ask:
        assert (await places(ask))["brick"] == ("cold", False)


async def test_a_pin_that_cannot_be_kept_costs_nobody_else_anything(home, adapter):
    async with started(home) as ask:
        await bring(ask, adapter, "brick", "robin")
        before = await ask.texts(None, "robin")
        for name in ("brick", "robin"):
            await pin(ask, name)
        path = ask.inference._administration._experts["brick"].path
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-3])
    with capture_logs() as logs:
        async with started(home) as ask:
            assert await places(ask) == {"brick": ("cold", True), "robin": ("hot", True)}
            assert "cannot be served" in (await ask.listed())["brick"].reason
            assert await ask.texts(None, "robin") == before
    warned = [entry for entry in logs if entry["log_level"] == "warning"]
    assert [(entry["event"], entry["expert"]) for entry in warned] == [
        ("a pinned expert is not on the device", "brick")
    ]


async def test_more_pins_than_a_smaller_bank_has_slots(home, adapter):
    async with started(home) as ask:
        await bring(ask, adapter, "brick", "robin")
        before = await ask.texts(None, "brick")
        for name in ("robin", "brick"):
            await pin(ask, name)
    home.config.write_text(home.config.read_text().replace("slots = 2", "slots = 1"))
    async with started(home) as ask:
        assert await places(ask) == {"brick": ("hot", True), "robin": ("warm", True)}
        assert "pinned experts: brick" in (await ask.listed())["robin"].reason
        assert await ask.texts(None, "brick") == before
        await pin(ask, "brick", on=False)
        assert (await pin(ask, "robin")).tid is None
        assert await places(ask) == {"brick": ("warm", False), "robin": ("hot", True)}


async def test_new_content_takes_the_pin_of_its_name_over(home, adapter):
    async with started(home) as ask:
        await bring(ask, adapter, "brick", "robin", "alfred")
        old = await pin(ask, "brick")
        came = await ask.bring("brick", adapter("new", seed=9))
        assert (came.expert.tier, came.expert.pinned) == ("hot", True)
        assert ask.inference._engine.tiers.place(old.expert.sha256).tier == "cold"
        await ask.texts("robin")
        await ask.texts("alfred")
        assert await places(ask) == {"alfred": ("hot", False), "brick": ("hot", True), "robin": ("warm", False)}
    async with started(home) as ask:
        view = (await ask.listed())["brick"]
        assert (view.sha256, view.tier, view.pinned) == (came.expert.sha256, "hot", True)


async def test_a_name_s_pin_does_not_stay_on_content_that_it_left_to_another(home, adapter):
    async with started(home) as ask:
        for name in ("brick", "robin"):
            await ask.bring(name, adapter("shared", seed=1))
        await pin(ask, "robin")
        assert await places(ask) == {"brick": ("hot", False), "robin": ("hot", True)}
        error = await ask.refused("evict", Evict(name="brick"))
        assert (error.code, error.data["pinned"]) == ("BUSY", ["robin"])
        await ask.bring("robin", adapter("other", seed=2))
        assert (await ask("evict", Evict(name="brick"))).expert.tier == "cold"
        assert await places(ask) == {"brick": ("cold", False), "robin": ("hot", True)}


async def test_a_pin_that_the_world_does_not_take_is_none(home, adapter, monkeypatch):
    async with started(home) as ask:
        await bring(ask, adapter, "brick", "robin", "alfred")

        def full(*_, **__):
            raise BatosError("STORAGE", "the disk is full", "Make room.")

        with monkeypatch.context() as patched:
            patched.setattr(repository, "pin", full)
            assert (await ask.refused("activate", Activate(name="brick", pin=True))).code == "STORAGE"
        assert (await places(ask))["brick"] == ("hot", False)
        for name in ("brick", "robin"):
            await pin(ask, name)
        with monkeypatch.context() as patched:
            patched.setattr(repository, "pin", full)
            for on in (True, False):
                assert (await ask.refused("activate", Activate(name="brick", pin=on))).code == "STORAGE"
        # What the world went on to say all the time, the device has gone on to do.
        assert (await places(ask))["brick"] == ("hot", True)
        assert await in_the_world(ask) == ["brick", "robin"]
        assert (await ask.refused("activate", Activate(name="alfred", pin=True))).code == "BUSY"
        assert await in_the_world(ask) == ["brick", "robin"]


async def test_world_and_device_agree_whoever_pins_and_lets_go_at_once(home, adapter):
    async with started(home) as ask:
        await bring(ask, adapter, "brick")
        for _ in range(5):
            await asyncio.gather(*(pin(ask, "brick", on=on) for on in (True, False, True, False)))
            assert await in_the_world(ask) == []
            assert (await places(ask))["brick"] == ("hot", False)
            await asyncio.gather(
                pin(ask, "brick"), ask.bring("brick", adapter("new", seed=2)), ask.bring("brick", adapter("old"))
            )
            assert await in_the_world(ask) == ["brick"]
            assert (await places(ask))["brick"] == ("hot", True)


@pytest.fixture
def storage(home):
    """Starts a real storage server for the home, whose world until then is none; a second call kills the first."""
    text = home.config.read_text()
    home.config.write_text(text[text.index("[inference]") :])
    running = []

    def kill():
        for process in running:
            process.kill()
            process.wait()
        running.clear()

    def start():
        kill()
        words = [sys.executable, "-m", "actors.storage", "--home", str(home.root)]
        running.append(subprocess.Popen(words, stderr=subprocess.DEVNULL))
        while running[0].poll() is None:
            try:
                return ruok(home.zeo_socket, seconds=1)
            except BatosError:
                time.sleep(0.02)
        raise AssertionError("the storage server ended")

    yield start
    kill()


async def test_a_pin_that_was_acknowledged_survives_kill_9_of_the_storage(home, storage, adapter):
    storage()
    store = open_store(home.settings(), home, name="test", seconds=10)
    await store.run(lambda: awakening.awaken(store.db))
    async with started(home) as ask:
        await bring(ask, adapter, "brick")
        tid = (await pin(ask, "brick")).tid
        await asyncio.to_thread(storage)
    async with started(home) as ask:
        assert await places(ask) == {"brick": ("hot", True)}

    def commits():
        with snapshot(store.db) as connection:
            proxy = connection.root()["pLLM_obj"].lora_repository["brick"]
            return proxy._slots["pinned"], proxy._slots._p_serial.hex()

    assert await store.run(commits) == (True, tid)
    await asyncio.to_thread(store.close)
