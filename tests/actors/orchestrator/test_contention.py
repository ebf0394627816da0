"""Many who change one object: all of it lands, once; and whatever has to be told of it is not final for its key."""

from __future__ import annotations

import asyncio
import time

import pytest
from ZODB.POSException import ConflictError

from actors.orchestrator import life
from actors.orchestrator.thinking.intents import QueuedTurn
from protocol import codec
from protocol.errors import CODES, PASSING, BatosError
from protocol.messages import Example, Mandate
from world.method import UvmMethod
from world.store import commit, snapshot, storage_errors

UP = "def up_(self):\n    self.count = self.count + 1\n    self._p_changed = True\n    return self.count\n"
COPY = "def copy_(self):\n    self.total = self.left.count + self.right.count\n    self._p_changed = True\n"
AREA = "def area_(self):\n    return self.width * self.height\n"
CASE = Example(slots={"width": 3, "height": 4}, returns=12)


async def counter(house, name="counter"):
    house.new(name, count=0)
    house.give(name, UP)
    await house.send(name, "up_", key=f"first {name}")
    return name


class Meddler:
    """Another one who changes an object whenever the jail has just read it, so many times."""

    def __init__(self, house, name, times, slot="count"):
        self.house, self.name, self.left, self.slot = house, name, times, slot
        self.times = 0
        self.run = house.bus.handlers["guardian", "run"]
        house.bus.handlers["guardian", "run"] = self.meddle

    async def meddle(self, request):
        ran = await self.run(request)
        if self.slot in request.slots and self.left:
            self.left -= 1
            self.times += 1
            self.house.meddle(self.name, self.times)
        return ran


async def test_many_writers_of_one_object_all_get_through(house):
    await counter(house)

    async def writer(name):
        return [(await house.send("counter", "up_", key=f"{name} {number}")).result for number in range(4)]

    results = await asyncio.gather(*(writer(name) for name in range(32)))
    assert sorted(result for row in results for result in row) == list(range(2, 130))
    assert house.look("counter").slots == {"count": 129}
    assert house.mandates._intents._turns == []


async def test_who_reads_two_hot_objects_gets_through_beside_their_writers(house):
    for name in ("left", "right"):
        await counter(house, name)
    house.new("sum", total=0)
    with commit(house.db, user="test", description="references") as connection:
        objects = connection.root()["objects"]
        for name in ("left", "right"):
            objects["sum"].set_slot(name, objects[name])
        objects["sum"].set_slot("copy_", UvmMethod("copy_", source=COPY))

    async def writer(name, number):
        await house.send(name, "up_", key=f"{name} {number}")
        await house.send("sum", "copy_", key=f"sum {name} {number}")

    await asyncio.gather(*(writer(name, number) for name in ("left", "right") for number in range(8)))
    assert house.look("sum").slots["total"] == 18


async def test_an_understood_message_is_thought_again_for_as_long_as_it_takes(house):
    await counter(house)
    meddler = Meddler(house, "counter", 7)
    assert (await house.send("counter", "up_", key="k2")).result == 2
    assert meddler.times == 7


async def test_when_its_time_is_over_it_says_so_and_its_key_attempts_it_again(house):
    await counter(house)
    Meddler(house, "counter", 10_000)
    with pytest.raises(BatosError) as caught:
        await house.send("counter", "up_", key="k2", seconds=0.7)
    assert (caught.value.code, caught.value.data["goes_on"]) == ("TIMEOUT", False)
    assert caught.value.data["conflicts"] > 0
    house.bus.handlers["guardian", "run"] = house.bus.handlers["guardian", "run"].__self__.run
    reply = await house.send("counter", "up_", key="k2")
    assert (reply.result, reply.mandate) == (2, caught.value.data["mandate"])
    assert await house.send("counter", "up_", key="k2") == reply
    assert house.look("counter").slots["count"] == 2


async def lose_a_cycle(house, monkeypatch, key="k"):
    """A message whose cycle is beaten by another one as often as it may be; the conflict."""
    house.new("box", width=5, height=6)
    house.played.rounds = [[AREA]] * 9
    publish, times = life.publish.publish, 0

    def beaten(db, publication):
        nonlocal times
        times += 1
        if times <= life.MAX_CONFLICTS:
            house.meddle("box", times)
        return publish(db, publication)

    monkeypatch.setattr(life.publish, "publish", beaten)
    with pytest.raises(BatosError) as caught:
        await house.send("box", "area_", key=key, examples=[CASE])
    assert times == life.MAX_CONFLICTS
    return caught.value


async def test_a_cycle_is_not_begun_for_ever_and_its_conflict_is_not_final(house, monkeypatch):
    lost = await lose_a_cycle(house, monkeypatch)
    assert (lost.code, lost.exit_code) == ("CONFLICT", 6)
    with snapshot(house.db) as connection:
        assert list(connection.root()["orchestrator_obj"].active_cycles) == []
        assert list(connection.root()["outbox"]) == [], "what will be otherwise in a moment is nothing to remember"
    reply = await house.send("box", "area_", examples=[CASE])
    assert (reply.result, reply.mandate, reply.cycle) == (30, lost.data["mandate"], lost.data["cycle"])
    row = await house.journal.run(lambda: house.journal.by_id(reply.mandate))
    assert (row.state, row.attempt) == ("complete", 2)
    story = await house.journal.run(lambda: house.journal.cycle(reply.cycle))
    assert (story.state, story.error) == ("COMPLETE", None)
    assert await house.journal.run(house.journal.counts) == {"active": 0, "complete": 1, "failed": 0}


async def test_two_who_ask_again_at_once_share_the_attempt(house, monkeypatch):
    lost = await lose_a_cycle(house, monkeypatch)
    one, other = await asyncio.gather(*(house.send("box", "area_", examples=[CASE]) for _ in range(2)))
    assert one == other
    row = await house.journal.run(lambda: house.journal.by_id(lost.data["mandate"]))
    assert row.attempt == 2


async def test_who_asks_again_before_the_last_attempt_has_gone_is_not_answered_by_it(house):
    await counter(house)
    failing = [BatosError("BUSY", "an expert is pinned", pinned=True)]
    run = house.bus.handlers["guardian", "run"]

    async def once(request):
        if failing:
            raise failing.pop()
        return await run(request)

    house.bus.handlers["guardian", "run"] = once
    again = []
    finish = house.journal.finish

    def finish_and_ask(*end, **how):
        finish(*end, **how)
        if not again:
            loop.call_soon_threadsafe(
                lambda: again.append(asyncio.ensure_future(house.send("counter", "up_", key="k2")))
            )

    loop = asyncio.get_running_loop()
    house.journal.finish = finish_and_ask
    with pytest.raises(BatosError, match="pinned"):
        await house.send("counter", "up_", key="k2")
    while not again:
        await asyncio.sleep(0)
    assert (await again[0]).result == 2
    assert await house.journal.run(house.journal.unfinished) == []


PASSED = {name for name, code in CODES.items() if PASSING in code.disposition}


@pytest.mark.parametrize("code", sorted(PASSED - {"NOT_READY", "NOT_RUNNING"}))
async def test_a_failure_of_the_moment_is_attempted_again_under_its_key(house, code):
    await counter(house)
    run, failing = house.bus.handlers["guardian", "run"], [True]

    async def once(request):
        if failing:
            failing.clear()
            raise BatosError(code, "not now", pinned=True)
        return await run(request)

    house.bus.handlers["guardian", "run"] = once
    sends = [house.send("counter", "up_", key="k2") for _ in range(2)]
    if code != "CONFLICT":  # of an understood message that one is never told
        with pytest.raises(BatosError) as caught:
            await sends.pop()
        assert caught.value.code == code
    for send in sends:
        assert (await send).result == 2


@pytest.mark.parametrize("code", ["METHOD_FAILED", "COVENANT_BREACH", "NOT_SYNTHESIZED", "INTERNAL", "CANCELLED"])
async def test_a_failure_of_the_message_itself_is_final_for_its_key(house, code):
    await counter(house)

    async def failing(_request):
        raise BatosError(code, "so it is")

    house.bus.handlers["guardian", "run"] = failing
    for _ in range(2):
        with pytest.raises(BatosError) as caught:
            await house.send("counter", "up_", key="k2")
        assert caught.value.code == code
    row = await house.journal.run(lambda: house.journal.by_key("k2"))
    assert row.attempt == 1


async def test_a_commit_that_has_happened_is_no_failure_whatever_came_after_it(house, monkeypatch):
    await counter(house)
    publish = life.publish.publish

    def commit_and_break(db, publication):
        publish(db, publication)
        monkeypatch.setattr(life.publish, "publish", publish)
        raise BatosError("STORAGE", "the folder is gone")

    monkeypatch.setattr(life.publish, "publish", commit_and_break)
    assert (await house.send("counter", "up_", key="k2")).result == 2
    assert house.look("counter").slots["count"] == 2


async def queueing(house):
    """A mandate that waits for its turn at the counter."""
    oid = house.look("counter").oid
    with snapshot(house.db) as connection:
        state = connection.get(bytes.fromhex(oid))._slots._p_oid.hex()
    held = QueuedTurn(-1, "somebody", ("counter", "up_"), frozenset({state}))
    await house.mandates._intents.take(held)
    return held


async def test_who_waits_for_its_turn_can_be_cancelled(house):
    await counter(house)
    await queueing(house)
    waiting = asyncio.create_task(house.send("counter", "up_", key="k2"))
    while len(house.mandates._intents._turns) < 2:
        await asyncio.sleep(0.01)
    mandate = (await house.journal.run(lambda: house.journal.by_key("k2"))).mandate
    assert (await house.mandates.cancel(mandate)).cancelled
    with pytest.raises(BatosError, match="was cancelled"):
        await waiting
    assert len(house.mandates._intents._turns) == 1


async def test_who_waits_for_its_turn_has_a_deadline(house):
    await counter(house)
    held = await queueing(house)
    with pytest.raises(BatosError, match="before it was its turn") as caught:
        await house.send("counter", "up_", key="k2", seconds=0.3)
    assert caught.value.code == "TIMEOUT"
    house.mandates._intents.release(held.mandate)
    assert (await house.send("counter", "up_", key="k2")).result == 2


async def test_nobody_publishes_what_is_anothers_turn(house):
    await counter(house)
    held = await queueing(house)
    # Another message, which has not lost yet and so knows of no queue.
    down = UP.replace("up_", "down_").replace("+ 1", "- 1")
    house.give("counter", down)
    waiting = asyncio.create_task(house.send("counter", "down_", key="k2"))
    while len(house.mandates._intents._turns) < 2:
        await asyncio.sleep(0.01)
    assert house.look("counter").slots["count"] == 1
    house.mandates._intents.release(held.mandate)
    assert (await waiting).result == 0


def test_a_conflict_of_the_database_names_its_object():
    with pytest.raises(BatosError) as caught, storage_errors():
        raise ConflictError(oid=b"\0" * 7 + b"\x2a")
    assert (caught.value.code, caught.value.data) == ("CONFLICT", {"oid": "000000000000002a"})
    with pytest.raises(BatosError) as caught, storage_errors():
        raise ConflictError("of nothing that has a name")
    assert caught.value.data == {}


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0])
async def test_a_jump_of_the_wall_clock_costs_no_mandate_its_time(house, monkeypatch, jump):
    house.new("box", width=5, height=6)
    wall = time.time

    async def jumps():
        monkeypatch.setattr(time, "time", lambda: wall() + jump)
        return [AREA]

    house.played.rounds = [jumps]
    assert (await house.send("box", "area_", examples=[CASE], seconds=30.0)).result == 30


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0])
async def test_time_in_which_the_system_was_down_does_not_count(house, monkeypatch, jump):
    house.new("box", width=5, height=6)
    reached = asyncio.Event()

    async def never():
        reached.set()
        await asyncio.Event().wait()

    house.played.rounds = [never, [AREA]]
    waiting = asyncio.create_task(house.send("box", "area_", examples=[CASE], seconds=30.0))
    await reached.wait()
    await house.crash()
    await asyncio.gather(waiting, return_exceptions=True)
    (row,) = await house.journal.run(house.journal.unfinished)
    assert 0 < row.remaining < 30.0
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + jump)
    await house.mandates.recover()
    assert (await house.send("box", "area_", examples=[CASE])).result == 30


async def test_what_is_left_after_a_crash_is_all_that_there_is(house):
    house.new("box", width=5, height=6)
    await house.journal.run(
        lambda: house.journal.accept("m1", "k", codec.pack(Mandate(target="box", selector="area_")), 0.0)
    )
    await house.mandates.recover()
    watched = await house.mandates.watch("m1", house.events.append)
    assert (watched.state, watched.error.code) == ("FAILED", "TIMEOUT")
