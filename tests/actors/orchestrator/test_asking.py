"""A question is looked up, answered plainly or by lanes, held against its passages, and given with where it stands."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest

from protocol.errors import BatosError
from protocol.messages import Piece
from tests.actors.orchestrator.asked import (
    FEELING,
    FIRST,
    QUESTION,
    SAGE,
    SAID,
    SECOND,
    SIMPLE,
    TEXT,
    ask,
    hit,
    lanes,
    plan,
    playing,
    prompts,
    spoken,
)
from tests.actors.orchestrator.hand.conftest import Hand
from world.store import snapshot


async def test_a_simple_question_takes_the_plain_way_in_one_prompt(house):
    house.hits = [hit()]
    playing(house, plain="The valve was made by Emil Rask.")
    reply = await ask(house, SIMPLE)
    found = reply.result
    assert (found["answer"], found["way"], found["lane"], found["refused"]) == (
        "The valve was made by Emil Rask.",
        "plain",
        "plain",
        False,
    )
    assert (found["facets"], found["dropped"], found["unknown"]) == ([], [], [])
    [prompt] = prompts(house)
    assert TEXT in prompt
    assert prompt.endswith(SIMPLE)
    [citation] = found["citations"]
    assert citation["supported"]
    assert (citation["doc_id"], citation["chunk_index"]) == ("fountain", 0)
    assert TEXT[citation["start"] : citation["end"]] == "The valve was made by Emil Rask in 1922."
    assert [entry["metadata"]["kind"] for entry in house.caught_up] == ["answer"]


async def test_a_question_of_two_parts_is_asked_of_facets_that_know_all_of_it(house):
    house.hits = [hit()]
    playing(house)
    reply = await ask(house)
    assert (reply.state, reply.remembered, reply.result["way"]) == ("COMPLETE", True, "deep")
    assert lanes(reply) == ("woven", {})
    assert reply.result["answer"] == SAID["woven"]
    assert [(part["query"], part["answer"]) for part in reply.result["facets"]] == [
        (FIRST, SAID[FIRST]),
        (SECOND, SAID[SECOND]),
    ]
    # The whole question and the passages reach every facet, the plain lane and the weaver.
    speaking = [prompt for prompt in prompts(house) if not prompt.startswith("#")]
    assert len(speaking) == 4
    assert all(TEXT in prompt and QUESTION in prompt for prompt in speaking)
    authors = {
        method.author for part in reply.result["facets"] for method in house.look(part["persona"]).methods.values()
    }
    assert authors
    assert reply.cycle not in authors
    [answer] = [entry for entry in house.caught_up if entry["metadata"]["kind"] == "answer"]
    assert answer["text"] == QUESTION + "\n\n" + reply.result["answer"]
    with snapshot(house.db) as connection:
        assert len(connection.root()["orchestrator_obj"].active_cycles) == 0


async def test_no_plan_is_made_of_what_has_parts(house):
    house.hits = [hit()]
    playing(house)
    await ask(house)
    assert [row.schema for request in house.played.asked for row in request.rows if row.schema] == []


@pytest.mark.parametrize("loop", ["so " * 30 + ".", "", "cut sho"])
async def test_a_lane_that_loops_or_is_cut_is_dropped_and_named(house, loop):
    house.hits = [hit()]
    playing(house, **{SECOND: loop})
    reply = await ask(house)
    [(name, why)] = lanes(reply)[1].items()
    assert name.endswith("_facet_")
    assert why
    assert len(reply.result["facets"]) == 1
    assert "valve broke" in reply.result["answer"]


async def test_a_facet_that_cannot_be_written_costs_its_lane_alone(house):
    house.hits = [hit()]
    bad = "def m_(self):\n    import os\n"

    async def play():
        rows = house.played.asked[-1].rows
        asking = [row for row in rows if "ENDING" in str(row.grammar)]
        first = asking[:2] if len(asking) > 2 else asking
        return [bad if row in first else spoken(row, SAID) for row in rows]

    house.played.rounds = [play] * 12
    reply = await ask(house)
    [why] = lanes(reply)[1].values()
    assert "was refused in 3 rounds" in why
    assert reply.state == "COMPLETE"
    assert len(reply.result["facets"]) == 1
    assert sum(len(house.look(persona).methods) for persona in ("BRICK", "BABS", "ROBIN", "ALFRED")) == 1
    with snapshot(house.db) as connection:
        assert len(connection.root()["orchestrator_obj"].active_cycles) == 0


@pytest.mark.parametrize(("way", "facets"), [("plain", 0), ("deep", 2)])
async def test_the_way_can_be_said(house, way, facets):
    house.hits = [hit()]
    playing(house)
    reply = await ask(house, kwargs={"way": way})
    assert (reply.result["way"], len(reply.result["facets"])) == (way, facets)


async def test_what_is_no_question_is_thought_about_in_facets_of_a_plan(house):
    playing(house, plan=plan(SAGE)[0], facet="Let it rest.", woven="Let it rest a while.", plain="Take a break.")
    reply = await ask(house, FEELING)
    steps = house.played.asked[0].rows[0].schema["properties"]["steps"]
    dealt = [step["properties"]["facet"]["enum"] for step in steps["prefixItems"]]
    assert sorted(facet for facets in dealt for facet in facets) == [
        "joyful_spark_facet_",
        "sage_facet_",
        "simple_heart_facet_",
    ]
    assert {part["persona"] for part in reply.result["facets"]} == {"ROBIN"}
    assert (reply.result["way"], reply.result["answer"]) == ("deep", "Let it rest a while.")


async def test_a_plan_that_cannot_be_used_is_named_and_no_plan_is_left(house):
    house.hits = [hit()]
    steps = [{"facet": "nobody_facet_", "query": "What is the valve?"}]
    playing(house, plan=plan(steps)[0], plain="The valve was made by Emil Rask.")
    reply = await ask(house, SIMPLE, kwargs={"way": "deep"})
    lane, dropped = lanes(reply)
    assert (lane, reply.result["facets"]) == ("plain", [])
    assert dropped == {"nobody_facet_": "nobody has this facet"}


async def test_a_facet_whose_part_of_the_plan_strays_is_asked_the_question_itself(house):
    house.hits = [hit()]
    steps = [{"facet": SAGE[0]["facet"], "query": "How do penguins sleep?"}]
    playing(house, plan=plan(steps)[0], facet="The valve was made by Emil Rask.", plain="Emil Rask made the valve.")
    reply = await ask(house, SIMPLE, kwargs={"way": "deep"})
    [part] = reply.result["facets"]
    assert (part["facet"], part["query"]) == (SAGE[0]["facet"], SIMPLE)
    assert lanes(reply)[1] == {}


async def test_an_answer_is_woven_again_where_no_passage_can_speak_and_at_last_refused(house):
    playing(house, plan=plan(SAGE)[0], facet="It rests.", plain="")
    weaving = iter(["", "so " * 30 + ".", "It is so.", "", "", ""])

    async def play():
        rows = house.played.asked[-1].rows
        return [
            next(weaving)
            if "Reconcile" in row.turns[-1].content
            else spoken(row, {"plan": plan(SAGE)[0], "facet": "It rests.", "plain": ""})
            for row in rows
        ]

    house.played.rounds = [play] * 20
    assert (await ask(house, FEELING)).result["answer"] == "It is so."
    reply = await ask(house, FEELING, key="k2")
    assert (reply.result["lane"].endswith("_facet_"), reply.result["answer"]) == (True, "It rests.")
    assert lanes(reply)[1]["woven"].startswith("not in 3 attempts")


async def test_where_no_lane_comes_to_an_answer_the_cycle_fails_with_each_reason(house):
    playing(house, rounds=20, plan=plan(SAGE)[0], facet="", woven="", plain="")
    with pytest.raises(BatosError, match="no lane came to an answer") as caught:
        await ask(house, FEELING)
    assert (caught.value.code, caught.value.exit_code) == ("CYCLE_FAILED", 1)
    assert "plain: it is empty" in caught.value.message
    assert [entry["metadata"]["kind"] for entry in house.caught_up] == ["failure"]
    with snapshot(house.db) as connection:
        assert len(connection.root()["orchestrator_obj"].active_cycles) == 0


async def test_where_a_persona_is_to_propose_the_question_waits_for_its_facets(house):
    """A facet has its pillar as contract. Each that is proposed waits for the user's word, and the question goes on with it."""
    hand = Hand(house)
    for persona in ("BRICK", "BABS", "ROBIN", "ALFRED"):
        await hand.set(persona, _learning="propose")
    house.hits = [hit()]
    playing(house, rounds=20)
    for _ in range(2):
        reply = await ask(house)
        assert (reply.state, reply.result) == ("PROPOSED", None)
        with snapshot(house.db) as connection:
            assert len(connection.root()["orchestrator_obj"].active_cycles) == 0
        assert house.caught_up == []
        await hand.accept(reply.proposal, send=False)
        house.caught_up = []
    assert (await ask(house)).result["answer"] == SAID["woven"]


async def test_all_facets_are_asked_in_one_batch_with_their_own_voice(house):
    house.hits = [hit()]
    playing(house)
    await ask(house)
    rows = next(
        request.rows for request in house.played.asked if any(row.turns[0].role == "system" for row in request.rows)
    )
    facets = [row for row in rows if row.turns[0].role == "system"]
    assert len(facets) == 2
    assert len({row.turns[0].content for row in facets}) == 2


async def test_the_same_question_again_reuses_the_facets(house):
    house.hits = [hit()]
    playing(house, rounds=20)
    first = await ask(house)
    reply = await ask(house, key="k2")
    assert first.result["answer"] == reply.result["answer"]
    assert not reply.synthesized
    assert not any("ENDING" in str(row.grammar) for request in house.played.asked[3:] for row in request.rows)


async def test_the_models_own_score_counts_where_the_codex_says_so(house):
    text = (await house.codex()).text
    await house.codex(text.replace("score = false", "score = true"))
    low = json.dumps(dict.fromkeys(("coherence", "style", "synthesis", "fulfilment"), 3))
    house.hits = [hit()]
    house.played.rounds = [["The valve was made by Emil Rask."], [low]]
    reply = await ask(house, SIMPLE)
    lane, dropped = lanes(reply)
    assert lane == "passages"
    assert dropped["plain"].startswith("the model rates it 3")


async def test_a_greeting_of_which_memory_knows_nothing_bypasses_the_cycle(house):
    house.played.rounds = [["Hello to you."]]
    reply = await ask(house, "Hello there")
    assert reply.result == {"answer": "Hello to you.", "facets": [], "sources": [], "bypassed": True}
    assert reply.cycle is None


async def test_a_woven_text_tells_where_it_stands(house):
    house.hits = [hit()]

    async def infer(request, call):
        if request.stream:
            for row in range(len(request.rows)):
                call.partial(Piece(row=row, text="It "))
                call.partial(Piece(row=row, text="is."))
        return await house.played.infer(request)

    house.bus.handlers["inference", "infer"] = infer
    playing(house)
    await ask(house)
    pieces = [(event.state, *event.detail.values()) for event in house.events if event.event == "piece"]
    woven = [piece[1:] for piece in pieces if piece[0] == "SYNTHESIZING"]
    assert woven == [("", 0, 0, "It "), ("", 0, 3, "is.")]
    assert {piece[1] for piece in pieces if piece[0] == "DELEGATING"} >= {"BABS"} or len(pieces) > 2


async def test_after_a_crash_in_the_middle_of_the_facets_nothing_is_generated_twice(house):
    house.hits = [hit()]
    started = asyncio.Event()

    async def never():
        started.set()
        await asyncio.Event().wait()

    playing(house)
    house.played.rounds.insert(1, never)
    waiting = asyncio.create_task(ask(house))
    await started.wait()
    await house.crash()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await house.mandates.recover() == 1
    reply = await ask(house)
    assert reply.result["answer"] == SAID["woven"]
    asked = [msgspec.json.encode(request) for request in house.played.asked]
    assert len(asked) == len(set(asked)) + 1
    assert len([entry for entry in house.caught_up if entry["metadata"]["kind"] == "answer"]) == 1


async def test_a_plan_announces_its_experts_before_its_facets_speak(house):
    house.bus.handlers["inference", "activate"] = lambda request: house.expert(request.name)
    for persona in ("BRICK", "BABS", "ROBIN", "ALFRED"):
        await house.send(persona, "adopt_expert_", persona.lower(), key=persona)
    house.hits = [hit()]
    playing(house)
    reply = await ask(house)
    [request] = house.prefetched
    assert request.plan == reply.cycle
    assert {part["expert"] for part in reply.result["facets"]} <= set(request.experts)
    spoken_ = [row.expert for request in house.played.asked for row in request.rows if row.turns[0].role == "system"]
    assert [part["expert"] for part in reply.result["facets"]] == spoken_[:2]
    assert all(part["expert"] == part["persona"].lower() for part in reply.result["facets"])
