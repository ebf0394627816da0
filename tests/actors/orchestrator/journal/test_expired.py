"""What needs a message or an end of which only digests stand says EXPIRED, and nothing is ever done twice for want of them."""

from __future__ import annotations

import pytest

from actors.orchestrator import views
from actors.orchestrator.journal.retention import Forgettable, Limits
from protocol import verbs
from protocol.errors import BatosError
from protocol.messages import Accept
from tests.actors.orchestrator.hand.conftest import Hand

UP = "def up_(self):\n    self.count = self.count + 1\n    self._p_changed = True\n    return self.count\n"
EVERYTHING = Limits(seconds=-1.0, mandates=100)


@pytest.fixture
async def counted(house):
    house.new("counter", count=0)
    house.give("counter", UP)
    house.sent = await house.send("counter", "up_")
    return house


async def expire(house):
    return await house.journal.run(lambda: house.journal.retention.prune(EVERYTHING))


async def refused(work):
    with pytest.raises(BatosError) as caught:
        await work
    return caught.value


async def test_a_key_whose_answer_is_gone_never_runs_its_mandate_twice(counted):
    assert await expire(counted) == Forgettable(0, 1)
    for args in ((), (1,)):  # another message under the same key is no new one either
        error = await refused(counted.send("counter", "up_", *args))
        assert (error.code, error.exit_code, error.data["mandate"]) == ("EXPIRED", 2, counted.sent.mandate)
        assert "another key" in error.hint
    await counted.crash()
    assert (await refused(counted.send("counter", "up_"))).code == "EXPIRED"
    assert counted.look("counter").slots["count"] == 1


async def test_a_failure_that_passes_is_not_attempted_again_once_it_is_gone(counted):
    await refused(counted.send("counter", "up_", key="late", seconds=1e-9))
    assert await expire(counted) == Forgettable(0, 2)
    assert (await refused(counted.send("counter", "up_", key="late", seconds=9.0))).code == "EXPIRED"
    assert counted.look("counter").slots["count"] == 1


async def test_who_asks_how_it_ended_is_told_that_it_is_gone(counted):
    await expire(counted)
    mandate, hand = counted.sent.mandate, Hand(counted)
    for work in (
        hand.confirm(mandate),
        hand.correct(mandate, returns=1),
        counted.mandates.watch(mandate, counted.events.append),
        counted.mandates.cancel(mandate),
    ):
        error = await refused(work)
        assert (error.code, "keep" in error.hint) == ("EXPIRED", True)
    assert (await refused(hand.confirm("last"))).code == "UNKNOWN_CYCLE"


async def test_the_story_of_a_cycle_says_what_of_it_is_gone(counted):
    counted.new("box", width=5, height=6)
    counted.played.rounds = [["def area_(self):\n    return self.width * self.height\n"]]
    sent = await counted.send("box", "area_", key="learn")
    before = await counted.journal.run(lambda: views.cycles(counted.journal, sent.cycle, 1))
    assert (before.story.is_expired, bool(before.story.verdicts[0]["source"])) == (False, True)
    await expire(counted)
    after = await counted.journal.run(lambda: views.cycles(counted.journal, sent.cycle, 1))
    assert (after.story.is_expired, after.story.verdicts[0]["source"]) == (True, "")
    assert after.story.verdicts[0]["sha256"] == before.story.verdicts[0]["sha256"]
    assert after.story.steps == before.story.steps


async def test_a_proposal_that_is_accepted_late_goes_on_with_the_message_that_it_keeps(counted):
    counted.new("box", width=5, height=6)
    counted.played.rounds = [["def area_(self):\n    return self.width * self.height\n"]]
    sent = await counted.send("box", "area_", key="learn")
    assert await expire(counted) == Forgettable(0, 2)
    done = await Hand(counted).ask(verbs.ACCEPT, Accept(id=sent.proposal), key="accept")
    assert done.sends == sent.mandate
    again = await counted.mandates.watch(sent.mandate, counted.events.append)
    assert (again.state, again.result) == ("COMPLETE", 30)
