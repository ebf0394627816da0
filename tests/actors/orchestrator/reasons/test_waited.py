"""A thought that has waited for its user's word: what came before it, and what came after, each thought again."""

from __future__ import annotations

from protocol import verbs
from protocol.messages import Replay
from tests.actors.orchestrator.agents import AGENT, AREA


async def replay(hand, id_):
    return await hand.ask(verbs.REPLAY, Replay(id=id_))


async def test_a_proposal_is_replayed_by_its_cycle_and_what_followed_it_by_its_mandate(house, hand, files):
    house.new("box", width=5, height=6)
    house.played.rounds = [[AREA] * 2]
    sent = await house.send("box", "area_", key="k", origin=AGENT)
    await hand.accept(sent.proposal)
    await house.send("box", "area_", key="k", origin=AGENT)
    before = await files()
    last, first = await replay(hand, sent.mandate), await replay(hand, sent.cycle)
    assert [(one.same, one.difference, one.now.state) for one in (last, first)] == [
        (True, None, "COMPLETE"),
        (True, None, "PROPOSED"),
    ]
    assert (last.now.result, last.cycle, first.now.sha256, first.cycle) == (30, None, sent.method.sha256, sent.cycle)
    assert first.total > 10 > last.total
    assert await files() == before
