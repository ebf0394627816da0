"""What came of a document is found from the world and the journal, however far it has gone; what nobody knows is named."""

from __future__ import annotations

import pytest

from actors.orchestrator import views
from actors.orchestrator.lineage.holdings import holdings
from actors.orchestrator.lineage.lineage import came_from, lineage
from actors.orchestrator.primitives import recollection
from protocol import verbs
from protocol.codec import Ref
from protocol.messages import Accept, CameOf, ForgetDerived, Lineage, New
from tests.actors.orchestrator.asked import SIMPLE, TEXT, hit, playing
from tests.actors.orchestrator.hand.conftest import Hand
from tests.actors.orchestrator.lineage.remembering import catch_up, documents, remember
from world import history
from world.store import snapshot

LEARNED = "def area_(self):\n    return self.width * self.height\n"
STUDY = "def study_(self, other):\n    self.recall_('the pump', 3)\n    return other.area_()\n"
NOTE = "def note_(self):\n    return self.remember_(self.recall_('the pump', 3)[0]['text'])\n"


@pytest.fixture
async def told(house):
    """A document is remembered, and a question is answered from it within a thread."""
    remember(house, "fountain", TEXT, kind="document")
    house.hits = [hit(), hit("The well is deep.", "well", "ab")]
    views.create(house.store, New(name="talk", parent="thread_traits", slots={"turns": []}))
    playing(house)
    house.asked = await ask(house, SIMPLE, thread=Ref(house.look("talk").oid))
    return house


async def ask(house, question, key="k", thread=None):
    kwargs = {} if thread is None else {"thread": thread}
    return await house.send("orchestrator_obj", "ask_", question, key=key, kwargs=kwargs)


async def study(house):
    """A method recalls, and then sends what nobody understands: the proposal that this ends with."""
    house.new("box", width=5, height=6)
    house.new("scholar")
    house.give("scholar", STUDY)
    house.played.rounds = [[LEARNED]]
    return (await house.send("scholar", "study_", Ref(house.look("box").oid), key="study")).proposal


async def of(house, *doc_ids, walk=True):
    catch_up(house)
    return await lineage(house.store, house.journal, doc_ids, walk=walk)


async def test_an_answer_came_of_the_documents_that_it_was_made_from(told):
    found = await of(told, "fountain")
    assert found.answers == [f"answer:{told.asked.cycle}"]
    assert (found.mandates, found.unknown, found.methods) == ([told.asked.mandate], [], [])
    (thread,) = found.threads
    assert (thread.oid, thread.name, thread.turns) == (told.look("talk").oid, "talk", 1)
    assert await of(told, "never") == Lineage(documents=["never"])


async def test_what_came_of_an_answer_came_of_its_document(told):
    first = f"answer:{told.asked.cycle}"
    told.hits = [hit(TEXT, first, "ac", kind="note")]
    second = await ask(told, SIMPLE, key="again")
    found = await of(told, "fountain")
    assert sorted(found.answers) == sorted([first, f"answer:{second.cycle}"])
    assert found.mandates == sorted([told.asked.mandate, second.mandate])
    with snapshot(told.db) as connection:
        held = holdings(connection, walk=False)
    back = await told.journal.run(lambda: came_from(told.journal, held, [f"answer:{second.cycle}"]))
    assert back == [f"answer:{second.cycle}", first, "fountain", "well"]


async def test_a_method_that_was_written_after_something_was_told_came_of_it(told):
    hand = Hand(told)
    proposal = await study(told)
    proposed = await of(told, "fountain")
    assert (proposed.methods, proposed.proposals) == ([], [proposal])
    await hand.ask(verbs.ACCEPT, Accept(id=proposal, send=False))
    found = await of(told, "fountain")
    (method,) = found.methods
    assert (method.name, method.selector, method.stands) == ("box", "area_", True)
    assert f"method:{method.oid}:area_" in found.answers
    near = await of(told, "fountain", walk=False)
    assert (near.methods, near.answers, near.threads) == (found.methods, found.answers, [])


async def test_a_note_came_of_what_its_writer_was_told(told):
    told.new("scholar")
    told.give("scholar", NOTE)
    note = (await told.send("scholar", "note_", key="note")).result
    assert note in (await of(told, "well")).answers


async def test_what_says_nothing_itself_is_asked_for_in_the_journal_and_then_unknown(told):
    remember(told, "answer:old", "Who?\n\nEmil.", kind="answer", mandate=told.asked.mandate, question="Who?")
    remember(told, "answer:older", "When?\n\nIn 1922.", kind="answer", mandate="01LONGGONE", question="When?")
    found = await of(told, "fountain")
    assert "answer:old" in found.answers
    assert found.unknown == ["answer:older"]


async def test_of_very_many_sources_the_journal_knows_the_rest(told, monkeypatch):
    monkeypatch.setattr(recollection, "MAX_SOURCES_BYTES", len("fountain"))
    told.new("scholar")
    told.give("scholar", NOTE)
    note = (await told.send("scholar", "note_", key="note")).result
    catch_up(told)
    with snapshot(told.db) as connection:
        said = connection.root()["knowledge_catalog_obj"].documents[note].metadata
    assert (said["sources"], said["sources_left"]) == (["fountain"], 1)
    assert note in (await of(told, "well")).answers


async def test_what_is_named_is_forgotten_in_one_transaction(told):
    hand = Hand(told)
    await hand.ask(verbs.ACCEPT, Accept(id=await study(told), send=False))
    await hand.define("box", "def area_(self):\n    return self.width * self.height + 0\n")
    catch_up(told)
    named = await hand.ask(verbs.CAME_OF, CameOf(doc_ids=["fountain"]))
    assert [method.stands for method in named.methods] == [False]
    done = await hand.ask(verbs.FORGET_DERIVED, ForgetDerived(derived=named), key="forget")
    assert done.derived == named
    assert done.tid
    assert (await hand.ask(verbs.FORGET_DERIVED, ForgetDerived(derived=named), key="forget")).tid == done.tid
    catch_up(told)
    assert not {*named.answers} & {*documents(told)}
    assert told.look("talk").slots["turns"] == []
    with snapshot(told.db) as connection:
        first, second = history.versions(connection.root()["objects"]["box"], "area_")
        assert (first.method, bool(first.gone), first.why) == (None, True, "forget what came of fountain")
        assert second.method.source.endswith("+ 0\n"), "what came of nothing told stays"
    again = await hand.ask(verbs.CAME_OF, CameOf(doc_ids=["fountain"]))
    assert (again.answers, again.methods, again.threads) == ([], [], [])
    assert (await hand.ask(verbs.FORGET_DERIVED, ForgetDerived(derived=named), key="once more")).tid is None


async def test_what_was_forgotten_is_not_taken_back(told):
    hand = Hand(told)
    await hand.ask(verbs.ACCEPT, Accept(id=await study(told), send=False))
    defined = await hand.define("box", "def area_(self):\n    return self.width * self.height + 0\n")
    catch_up(told)
    named = await hand.ask(verbs.CAME_OF, CameOf(doc_ids=["fountain"]))
    done = await hand.ask(verbs.FORGET_DERIVED, ForgetDerived(derived=named), key="forget")
    error = await hand.refused(hand.undo(done.tid))
    assert (error.code, "not brought back" in error.message) == ("BAD_ARGUMENT", True)
    error = await hand.refused(hand.undo(defined.tid))
    assert error.code == "BLOCKED"
    assert error.data["blocked"][0]["why"] == "the method that it held was forgotten"
