"""What is proposed waits for its user's word; accepted it stands, and its message goes on; rejected it is told why."""

from __future__ import annotations

import asyncio

import pytest

from actors.orchestrator import views
from actors.orchestrator.hand import reading
from protocol.errors import BatosError
from protocol.messages import Example, GivenReply, History, Learn, List
from world.method import digest
from world.store import snapshot

AREA = "def area_(self):\n    return self.width * self.height\n"
SUM = "def area_(self):\n    return self.width + self.height\n"
CASE = Example(slots={"width": 3, "height": 4}, returns=12)


@pytest.fixture
def box(house, hand):
    house.new("box", width=5, height=6)
    return hand


async def proposed(house, *texts, key="k", **rest):
    house.played.rounds = [[text] * 2 for text in texts or (AREA,)]
    reply = await house.send("box", "area_", key=key, **rest)
    assert (reply.state, reply.result, reply.synthesized) == ("PROPOSED", None, False)
    return reply


async def story(house, mandate):
    return (await house.journal.run(lambda: views.cycles(house.journal, mandate, 1))).story


def waiting(house):
    with snapshot(house.db) as connection:
        return [one.id for one in connection.root()["proposals"].values() if one.state == "waiting"]


async def test_without_an_example_the_proposal_is_all_that_is_published(house, box):
    before = house.look("box")
    reply = await proposed(house)
    assert house.look("box") == before
    assert waiting(house) == [reply.proposal]
    assert (reply.method.sha256, reply.learned.installed) == (digest(AREA), False)
    assert house.caught_up == []
    told = await story(house, reply.mandate)
    assert (told.state, told.error) == ("COMPLETE", None)
    assert [(one["chosen"], one["installed"]) for one in told.verdicts] == [(True, False)]
    with snapshot(house.db) as connection:
        assert len(connection.root()["orchestrator_obj"].active_cycles) == 0
    (one,) = await box.proposals()
    assert (one.name, one.selector, one.source, one.replaces, one.diff) == ("box", "area_", AREA, None, "")
    assert (one.result, one.moved) == ({"returns": 30, "changed": {}, "removed": []}, False)
    assert (one.mandate, one.cycle, one.verdict) == (reply.mandate, reply.cycle, "accept")


async def test_a_resend_and_the_same_message_have_the_same_answer_and_nothing_is_written_again(house, box):
    reply = await proposed(house)
    assert await house.send("box", "area_") == reply
    other = await house.send("box", "area_", key="k2")
    assert (other.state, other.proposal, other.tid) == ("PROPOSED", reply.proposal, None)
    assert len(house.played.asked) == 1
    assert house.mandates._running == {}, "the queue is free"


async def test_who_joined_the_cycle_waits_for_the_same_proposal(house, box):
    reached, opened = asyncio.Event(), asyncio.Event()

    async def write():
        reached.set()
        await opened.wait()
        return [AREA] * 2

    house.played.rounds = [write]
    sends = [asyncio.create_task(house.send("box", "area_", key="k1"))]
    await reached.wait()
    sends.append(asyncio.create_task(house.send("box", "area_", key="k2")))
    while not any(event.event == "joined" for event in house.events):
        await asyncio.sleep(0.01)
    opened.set()
    one, other = await asyncio.gather(*sends)
    assert (one.proposal, one.state, one.mandate != other.mandate) == (other.proposal, other.state, True)
    assert (waiting(house), len(house.played.asked)) == ([one.proposal], 1)


async def test_an_acceptance_sends_the_message_and_every_resend_has_the_result(house, box):
    reply = await proposed(house)
    other = await house.send("box", "area_", key="k2")
    made = await box.accept(reply.proposal)
    assert (made.name, made.selector, made.sends, made.moved) == ("box", "area_", reply.mandate, False)
    seen = house.look("box").methods["area_"]
    assert (seen.source, seen.author) == (AREA, reply.cycle)
    watched = await house.mandates.watch(reply.mandate, house.events.append)
    assert (watched.state, watched.result) == ("COMPLETE", 30)
    again = await house.send("box", "area_")
    assert (again.mandate, again.state, again.result, again.proposal) == (reply.mandate, "COMPLETE", 30, None)
    late = await house.send("box", "area_", key="k2")
    assert (late.mandate, late.result) == (other.mandate, 30)
    assert len(house.played.asked) == 1


@pytest.mark.parametrize(
    ("text", "holds"), [(SUM, False), (AREA.replace("width * self.height", "height * self.width"), True)]
)
async def test_what_was_confirmed_meanwhile_of_the_method_that_stands_is_owed_by_the_proposed_one(
    house, box, text, holds
):
    await box.define("box", AREA)
    sent = await house.send("box", "area_", key="sent")
    await box.set("box", _learning="propose")
    two = Example(slots={"width": 2, "height": 2}, returns=4)
    reply = await proposed(house, text, examples=[two], learn=Learn(again=True))
    await box.confirm(sent.mandate)
    if holds:
        await box.accept(reply.proposal)
        with snapshot(house.db) as connection:
            owed = connection.root()["objects"]["box"]._slots["area_"].examples
            assert [example["returns"] for example in owed] == [4, 30]
    else:
        assert "expected 30, got 11" in (await box.refused(box.accept(reply.proposal))).message
        assert house.look("box").methods["area_"].source == AREA


async def test_what_is_only_proposed_was_no_call_and_becomes_one_by_its_acceptance(house, box):
    reply = await proposed(house)
    for work in (box.confirm(reply.mandate), box.correct("last", returns=1)):
        error = await box.refused(work)
        assert (error.code, "has called nothing" in error.message) == ("BAD_ARGUMENT", True)
    await box.accept(reply.proposal, send=False)
    assert (await box.refused(box.confirm(reply.mandate))).code == "BAD_ARGUMENT"
    assert (await house.send("box", "area_")).result == 30
    assert (await box.confirm(reply.mandate)).example["returns"] == 30


async def test_without_send_the_message_waits_for_its_resend(house, box):
    reply = await proposed(house)
    made = await box.accept(reply.proposal, send=False)
    assert made.sends is None
    watched = await house.mandates.watch(reply.mandate, house.events.append)
    assert (watched.state, watched.proposal) == ("PROPOSED", reply.proposal)
    assert (await house.send("box", "area_")).result == 30


async def test_who_waits_has_the_result_once_it_is_accepted_and_the_reason_once_it_is_rejected(house, box):
    reply = await proposed(house)
    waits = asyncio.create_task(house.send("box", "area_", wait=True))
    await asyncio.sleep(0.05)
    assert not waits.done()
    await box.accept(reply.proposal)
    assert (await waits).result == 30
    house.played.rounds = [["def depth_(self):\n    return self.width\n"] * 2]
    other = asyncio.create_task(house.send("box", "depth_", key="k3", wait=True))
    while not waiting(house):
        await asyncio.sleep(0.01)
    await box.reject(waiting(house)[0], "a box has no depth")
    with pytest.raises(BatosError, match="a box has no depth") as caught:
        await other
    assert (caught.value.code, caught.value.exit_code) == ("REJECTED", 1)


async def test_the_next_attempt_is_told_why_the_last_one_was_rejected(house, box):
    reply = await proposed(house, SUM)
    gone = await box.reject(reply.proposal, "it must multiply")
    assert (gone.because, waiting(house)) == ("it must multiply", [])
    with pytest.raises(BatosError, match="it must multiply"):
        await house.send("box", "area_")
    other = await proposed(house, AREA, key="k2")
    assert "it must multiply" in str(house.played.asked[-1].rows[0].turns[-1].content)
    assert other.proposal != reply.proposal
    await box.accept(other.proposal)
    assert house.look("box").methods["area_"].intent == ""


async def test_a_rejected_method_is_not_proposed_again(house, box):
    reply = await proposed(house, SUM)
    await box.reject(reply.proposal)
    assert (await proposed(house, SUM, AREA, key="k2")).method.sha256 == digest(AREA)


async def test_a_message_within_a_message_ends_the_whole_mandate(house, box):
    await box.set("box", notes=[])
    note = "def note_(self):\n    self.notes.append(1)\n    self._p_changed = True\n    return self.area_()\n"
    await box.define("box", note)
    before = house.look("box")
    house.played.rounds = [[AREA] * 2]
    reply = await house.send("box", "note_")
    assert (reply.state, reply.method.selector, reply.synthesized) == ("PROPOSED", "area_", False)
    assert house.look("box") == before
    await box.accept(reply.proposal)
    assert (await house.send("box", "note_")).result == 30
    assert house.look("box").slots["notes"] == [1]


async def test_a_method_that_was_written_on_the_way_is_not_installed_without_the_one_that_it_sends(house, box):
    price = "def price_(self):\n    if self.recall_('boxes', 1) == []:\n        return self.area_()\n    return 1\n"

    async def write():
        return [price if "price_" in str(house.played.asked[-1].rows[0].turns) else AREA] * 2

    house.played.rounds = [write] * 8
    cheap = Example(returns=1, replies=[GivenReply(selector="recall_", value=["a box"])])
    reply = await house.send("box", "price_", examples=[cheap])
    assert (reply.state, reply.method.selector, house.look("box").methods) == ("PROPOSED", "area_", {})
    outer = await story(house, reply.cycle)
    assert (outer.state, {one["installed"] for one in outer.verdicts}) == ("COMPLETE", {False})
    await box.accept(reply.proposal)
    assert (await house.send("box", "price_", examples=[cheap])).result == 30
    assert set(house.look("box").methods) == {"area_", "price_"}


async def test_where_it_is_to_propose_what_holds_its_contract_waits_too(house, box):
    await box.set("box", _learning="propose")
    reply = await proposed(house, examples=[CASE], intent="How much it covers.")
    (one,) = await box.proposals()
    assert (one.intent, one.cases) == ("How much it covers.", [{"passed": True, "rule": "", "message": ""}])
    await box.accept(one.id[:6])
    assert (await house.send("box", "area_", examples=[CASE], intent="How much it covers.")).result == 30
    with snapshot(house.db) as connection:
        method = connection.root()["objects"]["box"].area_
        assert (method.intent, len(method.examples)) == ("How much it covers.", 1)
    assert reply.proposal == one.id


async def test_who_looks_at_a_mandate_whose_proposal_was_rejected_is_told_so(house, box):
    reply = await proposed(house)
    await box.reject(reply.proposal, "a box is no sheet")
    watched = await house.mandates.watch(reply.mandate, house.events.append)
    assert (watched.state, watched.proposal, watched.error.code) == ("FAILED", None, "REJECTED")


async def test_a_learning_that_proposes_is_done_once_it_is_accepted(house, box):
    await box.set("box", _learning="propose")
    asked = {"examples": [CASE], "learn": Learn()}
    reply = await proposed(house, **asked)
    assert (await box.accept(reply.proposal)).sends is None
    watched = await house.mandates.watch(reply.mandate, house.events.append)
    assert (watched.state, watched.proposal, watched.learned.installed) == ("COMPLETE", None, True)
    again = await house.send("box", "area_", **asked)
    assert (again.state, again.learned.installed, again.proposal, again.result) == ("COMPLETE", True, None, None)


async def test_what_it_replaces_is_shown_and_what_stands_there_by_then_is_owed(house, box):
    await box.define("box", SUM)
    await box.set("box", _learning="propose")
    reply = await proposed(house, AREA, learn=Learn(again=True), examples=[CASE])
    (one,) = await box.proposals()
    assert one.replaces == digest(SUM)
    assert "-    return self.width + self.height\n+    return self.width * self.height" in one.diff
    await box.define("box", "def area_(self):\n    return 0\n")
    (one,) = await box.proposals()
    assert one.moved
    assert (await box.accept(reply.proposal)).moved
    assert house.look("box").methods["area_"].source == AREA


async def test_where_the_world_has_moved_it_is_tried_again_and_goes_on_to_wait_where_it_fails(house, box):
    reply = await proposed(house, "def area_(self):\n    return self.width // self.height\n")
    await box.set("box", height=0)
    before = house.db.lastTransaction()
    error = await box.refused(box.accept(reply.proposal))
    assert (error.code, error.exit_code, waiting(house)) == ("REFUSED", 4, [reply.proposal])
    assert "in a world that has changed since: on the message itself: ZeroDivisionError" in error.message
    assert house.db.lastTransaction() == before
    await box.set("box", height=2)
    assert (await box.accept(reply.proposal)).moved


async def test_of_two_users_one_wins_and_the_other_is_told(house, box):
    reply = await proposed(house)
    done = await asyncio.gather(
        *(box.accept(reply.proposal, key=f"user {n}") for n in range(3)), return_exceptions=True
    )
    (won,) = [one for one in done if not isinstance(one, BatosError)]
    assert [one.code for one in done if isinstance(one, BatosError)] == ["SETTLED", "SETTLED"]
    error = await box.refused(box.reject(reply.proposal))
    assert (error.code, error.exit_code, error.data["state"]) == ("SETTLED", 6, "accepted")
    number = [isinstance(one, BatosError) for one in done].index(False)
    assert await box.accept(reply.proposal, key=f"user {number}") == won, "a lost answer is repeated"
    assert len(reading.versions(house.store, History(name="box", selector="area_")).versions) == 1


async def test_an_acceptance_that_was_killed_after_its_commit_still_sends_the_message(house, box, monkeypatch):
    reply = await proposed(house)

    async def killed(*_):
        raise asyncio.CancelledError

    monkeypatch.setattr(house.mandates._waiting, "taken_up", killed)
    with pytest.raises(asyncio.CancelledError):
        await box.accept(reply.proposal, key="a")
    assert set(house.look("box").methods) == {"area_"}
    await house.crash()
    assert await house.mandates.recover() == 1
    made = await box.accept(reply.proposal, key="a")
    watched = await house.mandates.watch(made.sends, house.events.append)
    assert (watched.state, watched.result) == ("COMPLETE", 30)
    versions = reading.versions(house.store, History(name="box", selector="area_")).versions
    assert len(versions) == 1


async def test_a_proposal_that_was_killed_before_its_end_was_noted_is_the_same_one(house, box):
    reply = await proposed(house)
    await house.journal.run(
        lambda: house.journal._db.execute("UPDATE mandates SET state = 'accepted', reply = NULL, finished = NULL")
    )
    await house.crash()
    assert await house.mandates.recover() == 1
    assert await house.send("box", "area_") == reply
    assert waiting(house) == [reply.proposal]


async def test_who_accepts_before_the_end_was_noted_sends_the_message_all_the_same(house, box, monkeypatch):
    goes_on, published = asyncio.Event(), house.mandates._published

    async def slowly(mandate):
        if mandate.hand is None:
            await goes_on.wait()
        await published(mandate)

    monkeypatch.setattr(house.mandates, "_published", slowly)
    house.played.rounds = [[AREA] * 2]
    first = asyncio.create_task(house.send("box", "area_"))
    while not waiting(house):
        await asyncio.sleep(0.01)
    accepting = asyncio.create_task(box.accept(waiting(house)[0]))
    while waiting(house):
        await asyncio.sleep(0.01)
    goes_on.set()
    assert (await first).state == "PROPOSED"
    made = await accepting
    watched = await house.mandates.watch(made.sends, house.events.append)
    assert (watched.state, watched.result) == ("COMPLETE", 30)
    row = await house.journal.run(lambda: house.journal.by_id(made.mandate))
    assert row.attempt == 2


async def test_a_message_that_changes_its_object_is_done_once(house, box):
    house.new("counter", count=1)
    up = "def up_(self):\n    self.count = self.count + 1\n    self._p_changed = True\n    return self.count\n"
    house.played.rounds = [[up] * 2]
    reply = await house.send("counter", "up_")
    await asyncio.gather(box.accept(reply.proposal), house.send("counter", "up_", wait=True))
    await asyncio.gather(*(house.send("counter", "up_") for _ in range(3)))
    assert house.look("counter").slots == {"count": 2}
    await house.crash()
    assert (await house.send("counter", "up_")).result == 2
    assert house.look("counter").slots == {"count": 2}


async def test_the_message_of_a_mandate_that_the_journal_has_forgotten_is_sent_too(house, box):
    reply = await proposed(house)
    await house.journal.run(lambda: house.journal._db.execute("DELETE FROM mandates"))
    made = await box.accept(reply.proposal)
    watched = await house.mandates.watch(made.sends, house.events.append)
    assert (watched.mandate, watched.result) == (reply.mandate, 30)


async def test_a_dropped_method_is_proposed_anew_for_the_same_mandate(house, box):
    reply = await proposed(house)
    await box.accept(reply.proposal, send=False)
    await box.drop("box", "area_")
    again = await house.send("box", "area_")
    assert (again.state, again.mandate) == ("PROPOSED", reply.mandate)
    assert again.proposal != reply.proposal
    assert len(house.played.asked) == 1, "what was drawn is kept"
    await box.accept(again.proposal)
    assert (await house.send("box", "area_")).result == 30


async def test_what_is_no_proposal_says_the_next_step(box):
    for work in (box.accept("beef"), box.reject(""), box.proposals(id="beef")):
        error = await box.refused(work)
        assert (error.code, error.exit_code, "batos proposals" in error.hint) == ("UNKNOWN_PROPOSAL", 2, True)


async def test_proposals_are_listed_page_by_page_with_those_that_wait_alone(house, box):
    ids = []
    for number in range(3):
        house.played.rounds = [[f"def a{number}_(self):\n    return {number}\n"] * 2]
        ids.append((await house.send("box", f"a{number}_", key=f"k{number}", new=True)).proposal)
    await box.reject(ids[1], "no")
    assert [one.id for one in await box.proposals()] == [ids[0], ids[2]]
    assert [one.id for one in await box.proposals(limit=1)] == [ids[0]]
    assert [one.id for one in await box.proposals(after=ids[0])] == [ids[2]]
    (gone,) = await box.proposals(id=ids[1])
    assert (gone.state, gone.because) == ("rejected", "no")
    listed = reading.listed(house.store, List(kind="proposals", limit=1))
    assert (listed.items[0]["id"], listed.next) == (ids[0], ids[0])
    assert reading.listed(house.store, List(kind="proposals", after=ids[0])).items[0]["selector"] == "a2_"
