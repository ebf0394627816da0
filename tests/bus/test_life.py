"""What all actors have in common, from the first step to the last."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from bus.client import Client
from bus.life import Actor
from bus.process import last_words
from bus.process.program import main
from bus.service import stop_on_signals
from bus.stub import StubBus
from protocol import verbs
from protocol.errors import CODES, BatosError
from protocol.messages import CatchUp, CaughtUp, StatusQuery

AWAY = BatosError("NOT_READY", "the moon is not up.", "Wait for the night.")


class MistakeError(Exception):
    """What nobody has foreseen."""


class Small(Actor):
    """An actor of memory's verbs; each step of its start is what the test says: an error, an event, or the end."""

    service = "memory"
    retry_s = 0.0

    def __init__(self, home, *steps):
        super().__init__(home, "the moon")
        self.steps = list(steps)
        self.happened = []

    async def _step(self):
        step = self.steps.pop(0) if self.steps else None
        self.happened.append(self.waiting_for)
        if isinstance(step, Exception):
            raise step
        try:
            if step is not None:
                await step.wait()
        except asyncio.CancelledError:
            self.happened.append("cancelled")
            raise
        self.waiting_for = ""

    def handlers(self):
        return {"catch_up": self.catch_up, "status": self.status}

    async def catch_up(self, _request, _call):
        if self.waiting_for:
            raise self._not_ready()
        return CaughtUp(cursor=7)

    async def _detail(self):
        return {"steps": len(self.steps)}

    async def close(self):
        self.happened.append("closed")


async def status_of(actor):
    bus = StubBus({("memory", verb): handler for verb, handler in actor.handlers().items()})
    return await bus.call(verbs.STATUS["memory"], StatusQuery(), seconds=5)


def failing_at_first(code):
    return BatosError(code, "something is wrong.", "Look.")


# The start ----------------------------------------------------------------------------------------------------


async def test_what_is_away_is_waited_for_and_named(home):
    actor = Small(home, AWAY, failing_at_first("STORAGE"))
    await actor.begin()
    assert actor.happened == ["the moon", "the moon is not up. Wait for the night.", "something is wrong. Look."]
    assert actor.waiting_for == ""


async def test_an_error_without_a_hint_is_named_without_a_blank(home):
    actor = Small(home, BatosError("NOT_READY", "nothing there"))
    await actor.begin()
    assert actor.happened == ["the moon", "nothing there"]


@pytest.mark.parametrize("code", CODES)
async def test_a_code_says_whether_the_start_goes_on(home, code):
    actor = Small(home, failing_at_first(code))
    if BatosError(code, "").is_hopeless:
        with pytest.raises(BatosError) as caught:
            await actor.begin()
        assert caught.value.code == code
        assert actor.waiting_for == "the moon"
    else:
        await actor.begin()
        assert actor.happened == ["the moon", "something is wrong. Look."]


async def test_between_two_attempts_it_rests(home, monkeypatch):
    actor = Small(home, AWAY, AWAY)
    actor.retry_s = 0.7
    rests = []

    async def rest(seconds):
        rests.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", rest)
    await actor.begin()
    assert rests == [0.7, 0.7]


async def test_each_failure_is_logged_under_its_name(home):
    with structlog.testing.capture_logs() as said:
        await Small(home, AWAY).begin()
    assert said == [{"event": "not ready", "log_level": "warning", "code": "NOT_READY", "reason": AWAY.message}]


async def test_a_mistake_is_nothing_to_wait_for(home):
    actor = Small(home, MistakeError())
    with pytest.raises(MistakeError):
        await actor.begin()
    assert actor.happened == ["the moon"]


async def test_what_is_ready_has_no_start(home):
    actor = Small(home, MistakeError())
    actor.waiting_for = ""
    await actor.begin()
    assert actor.happened == []


@pytest.mark.parametrize("lacks", ["handlers", "close", "_step"])
def test_an_actor_that_lacks_a_part_is_none(home, lacks):
    parts = {name: getattr(Small, name) for name in ("handlers", "close", "_step") if name != lacks}
    with pytest.raises(TypeError, match=lacks):
        type("Less", (Actor,), parts)(home, "the moon")


# How it is ----------------------------------------------------------------------------------------------------


async def test_status_tells_how_it_is_at_every_moment(home):
    actor = Small(home, AWAY)
    before = await status_of(actor)
    assert (before.ready, before.waiting_for, before.detail) == (False, "the moon", {"steps": 1})
    await actor.begin()
    after = await status_of(actor)
    assert (after.ready, after.waiting_for, after.detail) == (True, "", {"steps": 0})
    assert before.pid == after.pid == os.getpid()
    assert 0 <= before.uptime_s < after.uptime_s


async def test_an_actor_may_have_no_facts_of_its_own(home, monkeypatch):
    monkeypatch.delattr(Small, "_detail")
    assert (await status_of(Small(home))).detail == {}


async def test_on_the_bus_it_tells_what_it_waits_for_and_serves_afterwards(home, broker):
    moon, stop = asyncio.Event(), asyncio.Event()
    living = asyncio.create_task(Small(home, moon).live(stop))
    async with asyncio.timeout(30), Client(home.bus, "test") as client:
        status = None
        while status is None:
            with contextlib.suppress(BatosError):  # until it has registered
                status = await client.call(verbs.STATUS["memory"], StatusQuery(), seconds=5)
        assert (status.ready, status.waiting_for) == (False, "the moon")
        with pytest.raises(BatosError, match="memory waits for the moon") as caught:
            await client.call(verbs.CATCH_UP, CatchUp(), seconds=5)
        assert (caught.value.code, bool(caught.value.hint)) == ("NOT_READY", True)
        moon.set()
        while not (await client.call(verbs.STATUS["memory"], StatusQuery(), seconds=5)).ready:
            await asyncio.sleep(0.01)
        assert (await client.call(verbs.CATCH_UP, CatchUp(), seconds=5)).cursor == 7
        stop.set()
        await living


# The end ------------------------------------------------------------------------------------------------------


async def test_it_lives_until_it_is_stopped(home):
    actor, stop = Small(home), asyncio.Event()
    living = asyncio.create_task(actor.live(stop))
    await asyncio.sleep(0.05)
    assert not living.done()
    stop.set()
    await asyncio.wait_for(living, 30)
    assert actor.happened == ["the moon", "closed"]


async def test_a_start_that_still_waits_ends_before_it_closes(home):
    actor, stop = Small(home, asyncio.Event()), asyncio.Event()
    living = asyncio.create_task(actor.live(stop))
    await asyncio.sleep(0.05)
    stop.set()
    await asyncio.wait_for(living, 30)
    assert actor.happened == ["the moon", "cancelled", "closed"]


@pytest.mark.parametrize("error", [MistakeError(), failing_at_first("BAD_MODEL")], ids=["mistake", "hopeless"])
async def test_what_ends_the_start_ends_the_life_and_is_told(home, error):
    actor, stop = Small(home, error), asyncio.Event()
    with pytest.raises(type(error)) as caught:
        await asyncio.wait_for(actor.live(stop), 30)
    assert caught.value is error
    assert stop.is_set()
    assert actor.happened == ["the moon", "closed"]


def test_as_a_process_it_leaves_its_last_words(home, capsys):
    async def run(given):
        await Small(given, AWAY, failing_at_first("BAD_MODEL")).live(stop_on_signals())

    assert main("memory", run, ["--home", str(home.root)]) == CODES["BAD_MODEL"].exit_code
    assert json.loads(capsys.readouterr().err.splitlines()[-1])["code"] == "BAD_MODEL"
    words = last_words.read(home.run, "memory")
    assert (words.code, words.message, words.hint) == ("BAD_MODEL", "something is wrong.", "Look.")


@pytest.mark.parametrize("dies", [False, True], ids=["stopped", "mistaken"])
def test_as_a_process_it_ends_well_where_it_is_stopped_and_badly_of_a_mistake(home, tmp_path, dies):
    (tmp_path / "tiny.py").write_text(f"""
import sys
from bus.life import Actor
from bus.process.program import main
from bus.service import stop_on_signals

class Tiny(Actor):
    service = "memory"
    def handlers(self): return {{"status": self.status}}
    async def close(self): print("closed", flush=True)
    async def _step(self):
        print("begun", flush=True)
        self.waiting_for = "" if not {dies} else 1 / 0

async def run(home):
    await Tiny(home, "nothing").live(stop_on_signals())

sys.exit(main("memory", run))
""")
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    words = [sys.executable, str(tmp_path / "tiny.py"), "--home", str(home.root)]
    with subprocess.Popen(words, env=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        if not dies:
            process.send_signal(signal.SIGTERM)
        said, told = process.communicate(timeout=60)
    assert said == "closed\n"
    assert (process.returncode != 0) is dies
    assert ("ZeroDivisionError" in told) is dies
    assert last_words.read(home.run, "memory") is None, "whoever dies of a mistake is started again"
