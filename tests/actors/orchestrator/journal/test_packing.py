"""What is forgotten, when, and that everybody goes on while it is."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
import time
from functools import partial

import pytest
from persistent.mapping import PersistentMapping

from actors.orchestrator import views
from actors.orchestrator.journal import packing, retention
from actors.orchestrator.journal.journal import Journal
from actors.orchestrator.journal.retention import Forgettable, Limits
from protocol.errors import BatosError
from protocol.home import Orchestrator, Settings, find_home
from protocol.messages import Example, Look, Pack
from world.store import commit, open_store, snapshot

UP = "def up_(self):\n    self.count = self.count + 1\n    self._p_changed = True\n    return self.count\n"
CASE = Example(slots={"width": 3, "height": 4}, returns=12)


@pytest.fixture
async def journal(tmp_path):
    opened = Journal(tmp_path / "journal.sqlite")
    yield opened
    opened.close()


async def end(journal, *mandates, ago=0.0, state="complete"):
    for mandate in mandates:
        await journal.run(partial(journal.accept, mandate, f"key of {mandate}", b"said", 9.0))
        await journal.run(partial(journal.begin, f"cycle of {mandate}", mandate, "m", "o", "s_"))
        await journal.run(partial(journal.enter, f"cycle of {mandate}", "COMPLETE"))
        await journal.run(partial(journal.judged, f"cycle of {mandate}", "s", "accept", "", "source"))
        await journal.run(partial(journal.keep, f"reply of {mandate}", mandate, b""))
        await journal.run(partial(journal.finish, mandate, state, b"done"))
        await journal.run(
            lambda: journal._db.execute("UPDATE mandates SET finished = finished - ? WHERE mandate = ?", (ago, mandate))  # noqa: B023
        )


async def known(journal):
    rows = await journal.run(lambda: journal._db.execute("SELECT mandate FROM mandates ORDER BY seq").fetchall())
    return [row[0] for row in rows]


async def rows(journal):
    tables = ("mandates", "cycles", "transitions", "verdicts", "steps", "replies")
    return [
        (await journal.run(lambda t=table: journal._db.execute(f"SELECT count(*) FROM {t}").fetchone()))[0]
        for table in tables
    ]


async def test_of_what_ended_long_ago_digests_stand(journal):
    await end(journal, "old", ago=100.0)
    await end(journal, "failed", ago=100.0, state="failed")
    await end(journal, "new")
    await journal.run(lambda: journal.accept("running", "k", b"", 9.0))
    limits = Limits(seconds=50.0, mandates=10)
    assert await journal.run(lambda: journal.retention.forgettable(limits)) == Forgettable(0, 2)
    assert await journal.run(lambda: journal.retention.prune(limits)) == Forgettable(0, 2)
    assert await journal.run(lambda: journal.retention.forgettable(limits)) == Forgettable(0, 0)
    assert await journal.run(lambda: journal.retention.prune(limits)) == Forgettable(0, 0)
    assert await known(journal) == ["old", "failed", "new", "running"]
    assert await rows(journal) == [4, 3, 3, 3, 0, 1], "the trace stays, and what was answered on the way goes"
    old = await journal.run(lambda: journal.by_key("key of old"))
    assert (old.body, old.reply, old.is_expired) == (b"", None, True)
    kept = await journal.run(lambda: journal._db.execute("SELECT body_sha256, reply_sha256 FROM mandates").fetchall())
    digests = (hashlib.sha256(b"said").hexdigest(), hashlib.sha256(b"done").hexdigest())
    assert kept == [digests, digests, (None, None), (None, None)]
    (verdict,) = await journal.run(lambda: journal.verdicts("cycle of old"))
    assert (verdict.sha256, verdict.verdict, verdict.source) == ("s", "accept", "")


async def test_of_too_many_the_oldest_go_with_all_that_belongs_to_them(journal):
    await end(journal, "old", ago=100.0)
    await end(journal, "failed", ago=100.0, state="failed")
    await end(journal, "new")
    await journal.run(lambda: journal.told.note("old", ["house"]))
    limits = Limits(seconds=1e6, mandates=1)
    assert await journal.run(lambda: journal.retention.prune(limits)) == Forgettable(2, 0)
    assert await known(journal) == ["new"]
    assert await rows(journal) == [1, 1, 1, 1, 0, 1]
    assert await journal.run(lambda: journal.by_key("key of old")) is None
    assert await journal.run(lambda: journal.told.documents("old")) is None


async def test_what_goes_is_not_counted_as_what_stays(journal):
    for number in range(5):
        await end(journal, f"m{number}", ago=5.0 - number)
    limits = Limits(seconds=1.5, mandates=2)
    assert await journal.run(lambda: journal.retention.forgettable(limits)) == Forgettable(3, 1)
    assert await journal.run(lambda: journal.retention.prune(limits)) == Forgettable(3, 1)
    assert await known(journal) == ["m3", "m4"]


async def test_it_is_forgotten_a_few_at_a_time(journal, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(5):
        await end(journal, f"m{number}", ago=100.0)
    gone = [await journal.run(lambda: journal.retention.prune(Limits(seconds=50.0, mandates=2))) for _ in range(4)]
    assert gone == [Forgettable(2, 0), Forgettable(1, 1), Forgettable(0, 1), Forgettable(0, 0)]


async def test_it_is_forgotten_by_itself_and_a_journal_that_fails_is_tried_again(journal, monkeypatch):
    monkeypatch.setattr(packing, "EVERY_S", 0.01)
    monkeypatch.setattr(packing, "PAUSE_S", 0.0)
    await end(journal, "old", ago=100.0)
    prune, failing = journal.retention.prune, [BatosError("STORAGE", "the disk is full")]

    def once(limits):
        if failing:
            raise failing.pop()
        return prune(limits)

    journal.retention.prune = once
    retaining = asyncio.create_task(packing.retain(journal, Limits(seconds=50.0, mandates=10)))
    for mandate in ("old", "older"):
        while not (await journal.run(partial(journal.by_id, mandate))).is_expired:
            await asyncio.sleep(0.01)
        if mandate == "old":
            await end(journal, "older", ago=100.0)
    retaining.cancel()
    await asyncio.gather(retaining, return_exceptions=True)


@pytest.mark.parametrize("keep", ["", "30", "d", "0d", "-1d", "1.5d", "30 d", "1y"])
def test_a_time_that_is_none_is_refused(keep):
    with pytest.raises(BatosError, match="such as 30d") as caught:
        packing.limits_of(Orchestrator(), keep)
    assert caught.value.code == "BAD_ARGUMENT"


def test_the_configuration_says_what_is_kept():
    assert packing.limits_of(Orchestrator(keep="2w", keep_mandates=7)) == Limits(seconds=1_209_600.0, mandates=7)
    assert packing.limits_of(Orchestrator(keep="2w"), "90m").seconds == 5400.0


class Life:
    """A storage server, an orchestrator's parts, and another client, as they are in a home."""

    def __init__(self, house, home):
        self.house, self.home = house, home
        self.storage = subprocess.Popen(
            [sys.executable, "-m", "actors.storage", "--home", str(home.root)], stderr=subprocess.DEVNULL
        )
        self.other = open_store(Settings(), home, name="other", seconds=20.0)


@pytest.fixture
async def life(house, short_path):
    """`house`, its world behind a server of its own."""
    home = find_home(short_path).prepare()
    await house.mandates.close()
    house.journal.close()
    house.store.close()
    made = Life(house, home)
    house.db, house.path = open_store(Settings(), home, name="orchestrator", seconds=20.0).db, home.root
    from world import awakening

    awakening.awaken(house.db)
    house.open()
    yield made
    made.other.close()
    made.storage.kill()
    made.storage.wait()


def pack(life, keep, *, really):
    house = life.house
    request = Pack(keep=keep, really=really)
    return packing.pack(life.home, house.store, house.journal, Orchestrator(), request)


async def test_a_pack_forgets_history_and_everybody_goes_on(life):
    house = life.house
    house.new("counter", count=0)
    house.give("counter", UP)
    for number in range(30):
        await house.send("counter", "up_", key=f"k{number}")
    first = house.look("counter").tid
    with snapshot(life.other.db) as seen_before:
        assert seen_before.root()["objects"]["counter"].count == 30
        with commit(house.db, user="test", description="much") as connection:
            connection.root()["objects"]["counter"].ballast = PersistentMapping({"text": "x" * 500_000})
        with commit(house.db, user="test", description="and away with it") as connection:
            del connection.root()["objects"]["counter"]._slots["ballast"]
        await asyncio.sleep(1.1)
        said = await pack(life, "1s", really=False)
        assert (said.world.bytes_after, said.journal.bodies) == (said.world.bytes_before, 30)
        assert abs(said.world.before - (time.time() - 1)) < 60
        running = asyncio.create_task(house.send("counter", "up_", key="while it packs"))
        done = await pack(life, "1s", really=True)
        assert (await running).result == 31
        assert done.world.bytes_after < done.world.bytes_before - 400_000
        assert done.journal.bodies >= 30
        assert seen_before.root()["objects"]["counter"].up_.source == UP, "who has looked before goes on"
    assert (await house.send("counter", "up_", key="afterwards")).result == 32
    with snapshot(life.other.db) as now:
        assert now.root()["objects"]["counter"].count == 32
    fresh = open_store(Settings(), life.home, name="fresh", seconds=20.0)  # with nothing in its cache
    for store in (fresh, house.store):  # and one that has all of it in its cache
        with pytest.raises(BatosError) as caught:
            views.look(store, Look(target="counter", at=first))
        assert caught.value.code == "EXPIRED"
        assert caught.value.data["begins"] > first
    fresh.close()


async def test_what_a_running_mandate_may_still_see_is_not_packed(life):
    house = life.house
    house.new("box", width=5, height=6)
    reached, go = asyncio.Event(), asyncio.Event()

    async def slowly():
        reached.set()
        await go.wait()
        return ["def area_(self):\n    return self.width * self.height\n"]

    house.played.rounds = [slowly]
    waiting = asyncio.create_task(house.send("box", "area_", examples=[CASE]))
    await reached.wait()
    (row,) = await house.journal.run(house.journal.unfinished)
    house.meddle("box", 1)
    await asyncio.sleep(1.1)
    done = await pack(life, "1s", really=True)
    assert done.world.before < row.accepted
    go.set()
    house.played.rounds = [["def area_(self):\n    return self.width * self.height\n"]]
    assert (await waiting).result == 30
