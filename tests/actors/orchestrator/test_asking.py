"""A question runs the whole cycle: plan, facets (written where they lack), weaving, gate, answer, and what memory gets."""

from __future__ import annotations

import asyncio
import json

import pytest

from protocol.errors import BatosError
from protocol.messages import Hit, Piece
from tests.actors.orchestrator.hand.conftest import Hand
from world.store import snapshot

QUESTION = "Why is the pump of the old fountain silent today?"
SAGE = [
    {"facet": "sage_facet_", "query": "What can be let go?"},
    {"facet": "simple_heart_facet_", "query": "Who misses it?"},
]
TECHNICAL = [
    {"facet": "tamland_facet_", "query": "What is a pump?"},
    {"facet": "guide_facet_", "query": "Which pumps are old?"},
]
HIT = Hit(
    chunk_oid="00000000000000aa",
    doc_id="fountain",
    chunk_index=0,
    score=1.0,
    text="The pump broke in May.",
    metadata={},
)


def plan(steps):
    return [json.dumps({"steps": steps})]


def candidates(house):
    """For each row of facet candidates, the shortest text that its grammar allows."""
    return [written(row.grammar) for row in house.played.asked[-1].rows]


def written(grammar):
    start = next(line for line in grammar.splitlines() if line.startswith("start: "))
    head, tail = start.removeprefix('start: "').removesuffix('"').split('" ENDING "')
    return (head + "Be brief." + tail).encode().decode("unicode_escape")


def facets(house):
    async def write():
        return candidates(house)

    return write


async def ask(house, question=QUESTION, key="k", **rest):
    return await house.send("orchestrator_obj", "ask_", question, key=key, **rest)


async def test_a_fresh_world_writes_the_facets_it_needs_and_answers(house):
    house.hits = [HIT]
    house.played.rounds = [
        plan(TECHNICAL),
        facets(house),
        ["A pump moves water.", "Heron had one."],
        ["The pump broke in May, and it moves no water."],
    ]
    reply = await ask(house)
    assert reply.state == "COMPLETE"
    assert reply.remembered
    assert reply.result["answer"] == "The pump broke in May, and it moves no water."
    assert [(part["persona"], part["facet"], part["query"], part["answer"]) for part in reply.result["facets"]] == [
        ("BRICK", "tamland_facet_", "What is a pump?", "A pump moves water."),
        ("BRICK", "guide_facet_", "Which pumps are old?", "Heron had one."),
    ]
    assert [part["expert"] for part in reply.result["facets"]] == [None, None]
    assert [source["doc_id"] for source in reply.result["sources"]] == ["fountain"]
    methods = house.look("BRICK").methods
    assert set(methods) == {"tamland_facet_", "guide_facet_"}
    assert all(method.author != reply.cycle for method in methods.values())
    remembered = {entry["doc_id"]: entry for entry in house.caught_up}
    assert set(remembered) == {f"answer:{reply.cycle}"} | {
        f"method:{house.look('BRICK').oid}:{name}" for name in methods
    }
    assert remembered[f"answer:{reply.cycle}"]["text"] == QUESTION + "\n\n" + reply.result["answer"]
    with snapshot(house.db) as connection:
        assert len(connection.root()["orchestrator_obj"].active_cycles) == 0


async def test_where_a_persona_is_to_propose_the_question_waits_for_its_facets(house):
    """A facet has its pillar as contract. Each that is proposed waits for the user's word, and the question goes on with it."""
    hand = Hand(house)
    await hand.set("BRICK", _learning="propose")

    async def either():
        """A facet's method where one is written, and what a facet says where it speaks."""
        rows = house.played.asked[-1].rows
        return [written(row.grammar) if "ENDING" in str(row.grammar) else "So it is." for row in rows]

    house.played.rounds = [plan(TECHNICAL), facets(house), either, either, ["Both."]]
    for selector in ("tamland_facet_", "guide_facet_"):
        reply = await ask(house)
        assert (reply.state, reply.result, reply.method.selector) == ("PROPOSED", None, selector)
        with snapshot(house.db) as connection:
            assert len(connection.root()["orchestrator_obj"].active_cycles) == 0
        assert house.caught_up == []
        await hand.accept(reply.proposal, send=False)
        house.caught_up = []
    assert (await ask(house)).result["answer"] == "Both."
    assert set(house.look("BRICK").methods) == {"tamland_facet_", "guide_facet_"}


async def test_all_facets_are_asked_in_one_batch_with_their_own_voice(house):
    house.hits = [HIT]
    house.played.rounds = [plan(TECHNICAL), facets(house), ["One.", "Two."], ["Both."]]
    await ask(house)
    written_, spoken = house.played.asked[1:3]
    assert len(written_.rows) == 4
    assert len(spoken.rows) == 2
    first, second = spoken.rows
    assert first.turns[0].content.startswith("You are BRICK, the analyst.")
    assert "infer no intent" in first.turns[0].content
    assert "The pump broke in May." in first.turns[1].content
    assert first.turns[1].content.endswith("What is a pump?")
    assert (first.sampling.temperature, second.sampling.temperature) == (0.1, 0.6)


async def test_the_same_question_again_reuses_the_facets(house):
    house.played.rounds = [plan(TECHNICAL), facets(house), ["One.", "Two."], ["Both."]]
    await ask(house)
    before = house.look("BRICK").methods
    house.played.rounds = [plan(TECHNICAL), ["One.", "Two."], ["Both again."]]
    reply = await ask(house, key="k2")
    assert reply.result["answer"] == "Both again."
    assert not reply.synthesized
    assert house.look("BRICK").methods == before


async def test_the_form_of_a_plan_comes_from_the_world(house):
    house.played.rounds = [plan(SAGE), facets(house), ["One.", "Two."], ["Both."]]
    reply = await ask(house, "I am stuck on this project and do not know how to go on")
    steps = house.played.asked[0].rows[0].schema["properties"]["steps"]
    dealt = [step["properties"]["facet"]["enum"] for step in steps["prefixItems"]]
    assert sorted(facet for facets in dealt for facet in facets) == [
        "joyful_spark_facet_",
        "sage_facet_",
        "simple_heart_facet_",
    ]
    assert {part["persona"] for part in reply.result["facets"]} == {"ROBIN"}


async def test_a_plan_with_an_unknown_facet_fails_the_cycle_and_nothing_is_published(house):
    house.played.rounds = [plan([{"facet": "nobody_facet_", "query": "What is this?"}])]
    with pytest.raises(BatosError, match="names the facet nobody_facet_, which is none of") as caught:
        await ask(house)
    assert caught.value.code == "CYCLE_FAILED"
    assert caught.value.exit_code == 1
    assert [entry["metadata"]["kind"] for entry in house.caught_up] == ["failure"]
    with snapshot(house.db) as connection:
        assert len(connection.root()["orchestrator_obj"].active_cycles) == 0


async def test_a_facet_that_is_refused_three_times_fails_the_cycle_with_its_reason(house):
    bad = ["def tamland_facet_(self, user_query):\n    import os\n"] * 2

    async def one_good():
        return [*bad, *candidates(house)[2:]]

    house.played.rounds = [plan(TECHNICAL), one_good, [*bad, "Two."], bad]
    with pytest.raises(BatosError, match="tamland_facet_ was refused in 3 rounds: POL") as caught:
        await ask(house)
    assert caught.value.data["cycle"]
    assert house.look("BRICK").methods == {}


async def test_an_answer_that_fails_the_gate_is_woven_again_and_at_last_refused(house):
    house.played.rounds = [plan(TECHNICAL), facets(house), ["One.", "Two."], [""], ["so " * 30 + "."], ["It is so."]]
    reply = await ask(house)
    assert reply.result["answer"] == "It is so."
    house.played.rounds = [plan(TECHNICAL), ["One.", "Two."], ["cut sho"], [""], ["..."]]
    with pytest.raises(BatosError, match="quality gate in 3 attempts"):
        await ask(house, key="k2")


async def test_the_models_own_score_counts_where_the_codex_says_so(house):
    text = (await house.codex()).text
    await house.codex(text.replace("score = false", "score = true").replace("attempts = 3", "attempts = 2"))
    low, high = (dict.fromkeys(("coherence", "style", "synthesis", "fulfilment"), rating) for rating in (3, 5))
    house.played.rounds = [
        plan(TECHNICAL),
        facets(house),
        ["One.", "Two."],
        ["Bad."],
        [json.dumps(low)],
        ["Good."],
        [json.dumps(high)],
    ]
    assert (await ask(house)).result["answer"] == "Good."
    house.played.rounds = [plan(TECHNICAL), ["One.", "Two."], ["Bad."], [json.dumps(low)], ["Bad."], [json.dumps(low)]]
    with pytest.raises(BatosError, match="the model rates it 3"):
        await ask(house, key="k2")


async def test_a_question_of_a_few_words_that_memory_knows_nothing_about_bypasses_the_cycle(house):
    house.played.rounds = [["Hello to you."]]
    reply = await ask(house, "Hello there")
    assert reply.result == {"answer": "Hello to you.", "facets": [], "sources": [], "bypassed": True}
    assert reply.cycle is None


async def test_a_repeated_text_tells_where_it_stands(house):
    house.hits = [HIT]

    async def infer(request, call):
        if request.stream:
            for row in range(len(request.rows)):
                call.partial(Piece(row=row, text="It "))
                call.partial(Piece(row=row, text="is."))
        return await house.played.infer(request)

    house.bus.handlers["inference", "infer"] = infer
    house.played.rounds = [plan(TECHNICAL), facets(house), ["It is.", "It is."], ["It is."]]
    await ask(house)
    pieces = [(event.state, *event.detail.values()) for event in house.events if event.event == "piece"]
    spoken = [piece for piece in pieces if piece[0] == "DELEGATING"]
    assert spoken == [
        ("DELEGATING", "BRICK", 0, 0, "It "),
        ("DELEGATING", "BRICK", 0, 3, "is."),
        ("DELEGATING", "BRICK", 1, 0, "It "),
        ("DELEGATING", "BRICK", 1, 3, "is."),
    ]
    assert [piece[1:] for piece in pieces if piece[0] == "SYNTHESIZING"] == [("", 0, 0, "It "), ("", 0, 3, "is.")]


async def test_after_a_crash_in_the_middle_of_the_facets_nothing_is_generated_twice(house):
    started = asyncio.Event()

    async def never():
        started.set()
        await asyncio.Event().wait()

    house.played.rounds = [plan(TECHNICAL), facets(house), never, ["One.", "Two."], ["Both."]]
    waiting = asyncio.create_task(ask(house))
    await started.wait()
    await house.crash()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await house.mandates.recover() == 1
    reply = await ask(house)
    assert reply.result["answer"] == "Both."
    assert len(house.played.asked) == 5
    assert len([entry for entry in house.caught_up if entry["metadata"]["kind"] == "answer"]) == 1


async def test_a_plan_announces_its_experts_before_it_is_written_and_when_it_stands(house):
    house.bus.handlers[("inference", "activate")] = lambda request: house.expert(request.name)
    for persona in ("BRICK", "ROBIN"):
        await house.send(persona, "adopt_expert_", persona.lower(), key=persona)
    announced = []

    async def think():
        announced.append(house.prefetched[-1])
        return plan(TECHNICAL)

    house.played.rounds = [think, facets(house), ["One.", "Two."], ["Both."]]
    reply = await ask(house)
    assert [request.plan for request in house.prefetched] == [reply.cycle] * 2
    assert set(announced[0].experts) == {"brick", "robin"}
    assert house.prefetched[-1].experts == ["brick", "brick", "robin"]


async def test_a_persona_with_an_expert_speaks_with_it(house):
    activated = []

    def activate(request):
        activated.append(request.name)
        return house.expert(request.name)

    house.bus.handlers["inference", "activate"] = activate
    await house.send("BRICK", "adopt_expert_", "steel", key="adopt")
    assert activated == ["steel"]
    house.played.rounds = [plan(TECHNICAL), facets(house), ["One.", "Two."], ["Both."]]
    reply = await ask(house)
    assert [part["expert"] for part in reply.result["facets"]] == ["steel", "steel"]
    assert [row.expert for row in house.played.asked[0].rows] == ["steel"]
    assert [row.expert for row in house.played.asked[2].rows] == ["steel", "steel"]
    assert [row.expert for row in house.played.asked[3].rows] == [None]
