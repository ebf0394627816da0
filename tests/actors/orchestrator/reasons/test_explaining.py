"""`why`: a method, a mandate and a document are explained by what the world and the journal know, backwards and forwards."""

from __future__ import annotations

import hashlib

import pytest

from protocol import verbs
from protocol.codec import Ref
from protocol.messages import Example, Why
from protocol.origin import Origin
from tests.actors.orchestrator.agents import AGENT
from tests.actors.orchestrator.asked import SAGE, ask, hit, plan, playing
from tests.actors.orchestrator.lineage.remembering import remember

AREA = "def area_(self):\n    return self.width * self.height\n"
SUM = "def area_(self):\n    return self.width + self.height\n"
COST = "def cost_(self, of):\n    return 2 * of.area_()\n"
CASE = Example(slots={"width": 3, "height": 4}, returns=12)


@pytest.fixture
async def box(house, hand):
    house.new("box", width=5, height=6)
    house.new("till")
    return hand


async def why(hand, what, kind="", **rest):
    return await hand.ask(verbs.WHY, Why(what=what, kind=kind, **rest))


async def learned(house, name="box", source=AREA, selector="area_", **rest):
    house.played.rounds = [[source] * 2]
    return await house.send(name, selector, key=f"learn {name}", examples=[CASE], intent="the area of it", **rest)


async def test_a_method_that_was_written_says_who_asked_by_what_it_was_drawn_and_what_it_owes(house, box, files):
    sent = await learned(house)
    before = await files()
    found = await why(box, "box.area_")
    method = found.method
    assert (found.kind, method.name, method.selector, method.sha256) == ("method", "box", "area_", sent.method.sha256)
    assert (method.author, method.cycle, method.stands, method.tid) == (sent.cycle, sent.cycle, True, sent.tid)
    assert (method.model, method.verdict, method.intent) == ("digest of the model", "accept", "the area of it")
    assert (method.versions, method.replaced, method.candidates) == (1, None, 1)
    assert (method.examples[0]["slots"], method.examples[0]["returns"]) == ({"width": 3, "height": 4}, 12)
    mandate, cycle = found.causes
    assert (mandate.mandate, mandate.cycle, mandate.said) == (sent.mandate, None, "send box area_")
    assert mandate.asked_by.startswith("user:")
    assert (cycle.cycle, cycle.said, cycle.state) == (sent.cycle, "box.area_ was not understood", "COMPLETE")
    asked = house.played.drawn[0].rows
    text = found.texts[0]
    assert text.seeds == [row.seed for row in asked]
    assert text.temperatures == [row.sampling.temperature for row in asked]
    prompt = asked[0].prompt or "\n\n".join(f"[{turn.role}]\n{turn.content}" for turn in asked[0].turns)
    assert (text.prompt, text.prompt_sha256) == (prompt, hashlib.sha256(prompt.encode()).hexdigest())
    assert (text.model, text.expert) == ("digest of the model", None)
    kept = await house.journal.run(lambda: house.journal.reply(text.reply))
    assert kept is not None, "it is the key of the journal's own reply"
    assert found.missing == []
    assert await files() == before, "nothing was written"


async def test_a_method_of_the_user_says_who_defined_it_and_what_it_has_replaced(house, box):
    sent = await learned(house)
    await box.define("box", SUM, drop_contract=True)
    found = await why(box, "box.area_")
    method = found.method
    assert method.author.startswith("user:")
    assert (method.cycle, method.why, method.model, method.versions) == (None, "define box", None, 2)
    assert method.replaced == sent.method.sha256
    (cause,) = found.causes
    assert cause.said == "define box"
    assert found.texts == found.passages == found.missing == []
    await box.drop("box", "area_", force=True)
    found = await why(box, "box.area_")
    assert (found.method.stands, found.method.versions) == (False, 3)


async def test_an_inherited_method_and_one_of_the_kernel(house, box):
    from actors.orchestrator import views
    from protocol.messages import New

    await box.define("box", AREA)
    views.create(house.store, New(name="crate", parent="box"))
    assert (await why(box, "crate.area_")).method.name == "box"
    kernel = await why(box, "box._doesNotUnderstand_")
    assert (kernel.method.author, kernel.method.name) == ("awakening", "traits_obj")
    assert kernel.causes == kernel.missing == []
    primitive = await why(box, "box.infer_")
    assert (primitive.method.verdict, primitive.method.source) == ("primitive", None)


async def test_a_method_that_was_proposed_says_who_proposed_and_who_accepted_it(house, box):
    house.played.rounds = [[AREA] * 2]
    sent = await house.send("box", "area_", key="k", origin=AGENT, examples=[CASE])
    await box.accept(sent.proposal)
    assert (await house.send("box", "area_", key="k", origin=AGENT, examples=[CASE])).result == 30
    found = await why(box, "box.area_")
    assert (found.method.author, found.method.asked_by) == (sent.cycle, "mcp:claude-code")
    assert found.method.put_by.startswith("user:")
    assert (bool(found.texts), found.missing) == (True, []), "the thought before it waited is found again"
    assert found.method.read < (after := (await why(box, sent.mandate))).mandate.read
    assert after.texts == found.texts
    assert [cause.said for cause in found.causes] == [
        "send box area_",
        "box.area_ was not understood",
        f"accept {sent.proposal}",
    ]


async def test_a_facet_names_the_question_that_caused_it_and_the_passages_that_it_was_told(house, box):
    house.hits = [hit()]
    playing(house, plan=plan(SAGE)[0])
    answered = await ask(house)
    found = await why(box, answered.mandate)
    wrote = [one for one in found.mandate.wrote if one.installed]
    assert found.passages[0].doc_id == "fountain"
    assert found.passages[0].query
    if wrote:
        facet = await why(box, f"{wrote[0].name}.{wrote[0].selector}")
        assert [cause.cycle for cause in facet.causes][-1] == wrote[0].cycle
        assert facet.causes[0].said.startswith("ask ")
        assert len(facet.causes) == 3, "the mandate, the question's cycle, and its own"


async def test_a_mandate_says_what_it_wrote_published_and_left(house, box):
    sent = await learned(house)
    for id_ in (sent.mandate, sent.cycle, sent.cycle[:10]):
        found = await why(box, id_)
        reason = found.mandate
        assert (found.kind, reason.mandate, reason.tid) == ("mandate", sent.mandate, sent.tid)
        assert [one.cycle for one in reason.cycles] == [sent.cycle]
        assert [(one.name, one.selector, one.sha256, one.installed) for one in reason.wrote] == [
            ("box", "area_", sent.method.sha256, True)
        ]
        assert (reason.ending.state, reason.ending.result) == ("COMPLETE", 30)
        (changed,) = reason.changed
        assert (changed.name, [(slot.slot, slot.how) for slot in changed.slots]) == ("box", [("area_", "new")])
        assert found.causes[0].intent == "the area of it"
        assert [text.seeds for text in found.texts] == [[row.seed for row in each.rows] for each in house.played.drawn]
        assert reason.digests == {}


async def test_what_the_journal_has_forgotten_is_named_and_its_digests_are_told(house, box):
    sent = await learned(house)
    await house.journal.run(lambda: house.journal.retention.expire([sent.mandate]))
    found = await why(box, "box.area_")
    assert found.texts == []
    assert found.missing[0].startswith("the prompts and the passages: EXPIRED")
    assert (found.method.sha256, found.causes[0].said) == (sent.method.sha256, "")
    told = await why(box, sent.mandate)
    assert set(told.mandate.digests) == {"message", "end"}
    assert told.mandate.ending is None
    await house.journal.run(lambda: house.journal._db.execute("DELETE FROM mandates"))
    await house.journal.run(lambda: house.journal._db.execute("DELETE FROM cycles"))
    found = await why(box, "box.area_")
    assert any("EXPIRED" in told and sent.cycle in told for told in found.missing)


async def test_forwards_who_sends_a_method_and_whom_it_has_answered(house, box):
    await box.define("box", AREA)
    await box.define("till", COST)
    direct = await house.send("box", "area_", key="direct")
    within = await house.send("till", "cost_", Ref(house.look("box").oid), key="within")
    found = (await why(box, "box.area_", used_by=True)).used_by
    assert found.methods == ["till.cost_"]
    assert [one.mandate for one in found.mandates] == [direct.mandate, within.mandate]
    await box.define("box", SUM, drop_contract=True)
    found = (await why(box, "box.area_", used_by=True)).used_by
    assert found.mandates == [], "those were answered by the method before"
    found = (await why(box, "till.cost_", used_by=True)).used_by
    assert (found.methods, [one.mandate for one in found.mandates]) == ([], [within.mandate])


async def test_forwards_from_a_mandate(house, box):
    sent = await learned(house)
    await box.define("till", COST)
    later = await house.send("till", "cost_", Ref(house.look("box").oid), key="later")
    found = (await why(box, sent.mandate, used_by=True)).used_by
    assert (found.methods, [one.mandate for one in found.mandates]) == (["till.cost_"], [later.mandate])


async def test_words_that_mean_nothing_or_several_things(house, box):
    await box.define("box", AREA)
    sent = [await house.send("box", "area_", key=str(number)) for number in range(2)]
    for what, kind, code, word in [
        ("bok.area_", "", "UNKNOWN_OBJECT", "box"),
        ("box.aera_", "", "UNKNOWN_METHOD", "batos history box"),
        ("box.area", "", "BAD_SELECTOR", ""),
        ("notes.md", "document", "UNKNOWN_DOCUMENT", "documents"),
        ("nothing", "", "BAD_ARGUMENT", "NAME.SELECTOR"),
        ("/tmp/notes.md", "", "BAD_ARGUMENT", "batos ls documents"),
        (sent[0].mandate[:5], "", "BAD_ARGUMENT", "more"),
        ("cffffffffffffffffffff", "mandate", "UNKNOWN_CYCLE", "batos cycle ls"),
        ("00000000000000000000000000", "", "EXPIRED", "keep"),
        ("box.area_", "thing", "BAD_ARGUMENT", "method"),
    ]:
        error = await box.refused(why(box, what, kind))
        assert (error.code, word in error.hint) == (code, True), (what, error.code, error.message, error.hint)


async def test_who_asks_needs_the_right_to_ask_alone(house, box):
    await box.define("box", AREA)
    box.origin = Origin(kind="mcp", name="agent", rights=["ask"])
    assert (await why(box, "box.area_")).method.stands
    box.origin = Origin(kind="mcp", name="agent", rights=[])
    assert (await box.refused(why(box, "box.area_"))).code == "NOT_ALLOWED"


async def test_a_document_that_names_a_mandate_of_somebody_else_did_not_come_of_it(house, box):
    sent = await learned(house)
    remember(house, "note:own", "It is so.", mandate=sent.mandate)
    remember(house, "note:forged", "It is so.", mandate=sent.mandate, remembered_by=AGENT.label)
    remember(house, "short", "It is so.", mandate=sent.mandate[:4])
    own, forged, short = [await why(box, doc_id) for doc_id in ("note:own", "note:forged", "short")]
    assert [cause.mandate for cause in own.causes] == [sent.mandate]
    assert (forged.causes, len(forged.missing)) == ([], 1)
    assert (short.causes, len(short.missing)) == ([], 1)
    left = (await why(box, sent.mandate)).mandate.documents
    assert ("note:own" in left, "note:forged" in left) == (True, False)


async def test_a_message_that_the_disk_has_damaged_hides_no_other(house, box):
    await box.define("box", AREA)
    damaged, sent = [await house.send("box", "area_", key=str(number)) for number in range(2)]
    change = "UPDATE mandates SET body = x'0102ff' WHERE mandate = ?"
    await house.journal.run(lambda: house.journal._db.execute(change, (damaged.mandate,)))
    found = await why(box, "box.area_", used_by=True)
    assert [one.mandate for one in found.used_by.mandates] == [sent.mandate]
    found = await why(box, damaged.mandate)
    assert (found.causes[0].said, len(found.missing)) == ("", 1)
