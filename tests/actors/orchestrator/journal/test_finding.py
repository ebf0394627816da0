"""A mandate is found by the beginning of its id, and who has sent a message by the places of the trace."""

from __future__ import annotations

from functools import partial

import pytest

from actors.orchestrator.journal.journal import Answered, Journal
from protocol import codec
from protocol.messages import Mandate


@pytest.fixture
async def journal(tmp_path):
    opened = Journal(tmp_path / "journal.sqlite")
    for number, selector in enumerate(("total_", "ask_", "total_")):
        body = codec.pack(Mandate(target="box", selector=selector))
        await opened.run(partial(opened.accept, f"01AB{number}", f"k{number}", body, 9.0))
    yield opened
    opened.close()


async def sent(journal, mandate, path, send):
    step = Answered(cycle=None, state="", path=path, send=send, size=0, tokens=0)
    await journal.run(lambda: journal.step(mandate, step, 0.1))


async def found(journal, selector):
    return await journal.run(lambda: journal.finding.senders(selector))


async def test_an_id_is_found_by_its_beginning_and_by_its_age(journal):
    find = journal.finding
    assert await journal.run(lambda: find.by_beginning("01AB1")) == ["01AB1"]
    assert len(await journal.run(lambda: find.by_beginning("01AB"))) == 2, (
        "no more than tell that it is not the only one"
    )
    assert await journal.run(lambda: find.by_beginning("01AC")) == []
    assert await journal.run(lambda: find.newest(2)) == ["01AB2", "01AB1"]
    assert await journal.run(find.oldest) == "01AB0"


async def test_the_mandates_own_method_has_sent_what_stands_right_under_it(journal):
    await sent(journal, "01AB0", "m.0", "area_")
    assert await found(journal, "area_") == ["total_"]
    assert await found(journal, "size_") == []


async def test_what_is_sent_within_a_send_is_of_the_method_that_answered_that(journal):
    await sent(journal, "01AB0", "m.0", "area_")
    await sent(journal, "01AB0", "m.0.1", "width_")
    assert await found(journal, "width_") == ["area_"]


async def test_the_sends_of_send_all_are_those_of_who_has_sent_it(journal):
    await sent(journal, "01AB0", "m.3", "send_all_")
    await sent(journal, "01AB0", "m.3.1", "area_")
    await sent(journal, "01AB0", "m.3.1.0", "width_")
    assert await found(journal, "area_") == ["total_"]
    assert await found(journal, "width_") == ["area_"]


async def test_a_message_that_was_sent_again_after_its_cycle_is_the_same_message(journal):
    await sent(journal, "01AB0", "m.0.answer.0", "area_")
    await sent(journal, "01AB2", "m.2", "twice_")
    await sent(journal, "01AB2", "m.2.0.answer.1", "width_")
    assert await found(journal, "area_") == ["total_"]
    assert await found(journal, "width_") == ["twice_"]


async def test_what_has_no_step_above_it_is_nobodys(journal):
    await sent(journal, "01AB0", "m.0.IDLE.2", "infer_")
    assert await found(journal, "infer_") == []
    await journal.run(lambda: journal._db.execute("UPDATE mandates SET body = x'00'"))
    await sent(journal, "01AB0", "m.1", "area_")
    assert await found(journal, "area_") == [], "what the disk has damaged says nothing"


async def test_the_moment_that_a_mandate_has_read_is_noted_once_and_kept(journal):
    run = journal.run
    await run(lambda: journal.note_read("01AB0", "00000000000000aa"))
    await run(lambda: journal.finish("01AB0", "complete", b"", ""))
    await run(lambda: journal.finish("01AB1", "failed", b"", "00000000000000bb"))
    rows = [await run(partial(journal.by_id, f"01AB{number}")) for number in range(3)]
    assert [row.read for row in rows] == ["00000000000000aa", "00000000000000bb", None]
