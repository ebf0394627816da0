"""The tools that write: messages, methods, texts and names.

What they may write the system decides by the origin of this door. Where it may not install, methods become proposals there; the
tools that only a person's word carries out are not offered, and would be refused if they were.
"""

from __future__ import annotations

import time
from typing import Final

from cli.calls import asking, learning, mandate, sending
from cli.calls.documents import remembering, wholes
from cli.calls.learning import Lesson
from cli.doors.mcp import arguments
from cli.doors.mcp.answers import Answered, Forgotten, Sent, sent_of
from cli.doors.mcp.visit import Visit
from cli.render import thought as render_thought
from protocol import codec, names, verbs
from protocol.checks import documents
from protocol.errors import BatosError
from protocol.mandates import check_learning, check_mandate
from protocol.messages import (
    Accept,
    Accepted,
    Created,
    Define,
    Defined,
    Drop,
    Dropped,
    Index,
    Indexed,
    IndexProgress,
    Learn,
    Mandate,
    New,
    Reject,
    Rejected,
    Revert,
    Reverted,
    SetSlots,
    SlotsSet,
)

REMEMBER_S: Final = 3600.0
"""Seconds for one text: a slow machine embeds four million characters in a quarter of that."""
HAND_S: Final = 120.0
"""Seconds for what is judged and held to its contracts without any thinking."""


async def send(visit: Visit, given: arguments.Send) -> Sent:
    selector, parameters = mandate.read_selector(given.selector)
    wanted = Mandate(
        target=mandate.check_target(given.name),
        selector=selector,
        parameters=parameters,
        args=given.args,
        kwargs=given.kwargs,
        examples=given.examples,
        intent=mandate.read_intent(given.intent),
        new=given.new,
    )
    return sent_of(await visit.mandate(check_mandate(wanted), given.key, given.seconds))


async def learn(visit: Visit, given: arguments.Learn) -> Lesson:
    selector, parameters = mandate.read_selector(given.selector)
    wanted = Mandate(
        target=mandate.check_target(given.name),
        selector=selector,
        parameters=parameters,
        examples=given.examples,
        intent=mandate.read_intent(given.intent),
        learn=Learn(again=given.again, dry_run=given.dry_run, strict=given.strict, drop_contract=given.drop_contract),
    )
    found = learning.lesson_of(await visit.mandate(check_mandate(wanted), given.key, given.seconds))
    if learning.is_in_doubt(wanted, found):
        raise learning.in_doubt(wanted, found)
    return found


async def ask(visit: Visit, given: arguments.Ask) -> Answered:
    began, key = time.monotonic(), sending.check_key(given.key)
    manner = asking.Manner(way=given.way, thread=given.thread, answers=given.answers)
    wanted = asking.question_of(given.question, manner)
    if given.thread is not None:
        wanted = await asking.within_thread(visit.line.ask, wanted, given.thread, key)
    reply = await visit.mandate(wanted, key, given.seconds)
    found = asking.answer_of(reply, given.thread, time.monotonic() - began, visit.line.home)
    return Answered(
        mandate=found.mandate,
        state=found.state,
        text=render_thought.answer(found),
        answer=found.answer,
        refused=found.refused,
        way=found.way,
        citations=found.citations,
        sources=found.sources,
        unknown=found.unknown,
        thread=found.thread,
        proposal=found.proposal,
        tid=found.tid,
    )


async def define(visit: Visit, given: arguments.Define) -> Defined:
    if not given.source.strip():
        raise BatosError("BAD_ARGUMENT", "the source is empty", "Write one function or several.")
    wanted = Define(
        name=mandate.check_target(given.name),
        source=given.source,
        drop_contract=given.drop_contract,
        replaces=given.replaces,
    )
    return await visit.line.ask(verbs.DEFINE, wanted, key=sending.check_key(given.key), seconds=HAND_S)


async def remember(visit: Visit, given: arguments.Remember) -> Indexed:
    def note(found: IndexProgress) -> None:
        visit.tell("sentences are embedded", found.done, found.total)

    documents.check(given.doc_id, given.text, given.metadata)
    metadata = {"kind": "document", **given.metadata}
    wanted = Index(doc_id=given.doc_id, text=given.text, metadata=metadata)
    return await visit.line.ask(verbs.INDEX, wanted, seconds=REMEMBER_S, on_partial=note)


async def revert(visit: Visit, given: arguments.Revert) -> Reverted:
    selector, _ = mandate.read_selector(given.selector)
    wanted = Revert(
        name=mandate.check_target(given.name), selector=selector, to=given.to, drop_contract=given.drop_contract
    )
    return await visit.line.ask(verbs.REVERT, wanted, key=sending.check_key(given.key), seconds=HAND_S)


async def new(visit: Visit, given: arguments.New) -> Created:
    wanted = New(
        name=names.check_object(given.name),
        parent=None if given.parent is None else mandate.check_target(given.parent),
        slots={names.check_slot(slot): value for slot, value in given.slots.items()},
    )
    codec.encode(wanted.slots)
    return await visit.line.ask(verbs.NEW, wanted, key=sending.check_key(given.key))


async def accept(visit: Visit, given: arguments.Accept) -> Accepted:
    wanted = Accept(id=given.id, send=given.send)
    return await visit.line.ask(verbs.ACCEPT, wanted, key=sending.check_key(given.key), seconds=HAND_S)


async def reject(visit: Visit, given: arguments.Reject) -> Rejected:
    wanted = Reject(id=given.id, because=mandate.read_intent(given.because))
    return await visit.line.ask(verbs.REJECT, wanted, key=sending.check_key(given.key))


async def forget(visit: Visit, given: arguments.Forget) -> Forgotten:
    documents.check_id(given.doc_id)
    document = await wholes.kept_as(visit.line, given.doc_id)
    if document is None:
        raise BatosError(
            "UNKNOWN_DOCUMENT", f"no document is called {given.doc_id[:200]!r}", "`search` gives the ids of documents."
        )
    gone = await remembering.forgotten(visit.line, document)
    return Forgotten(doc_id=gone.doc_id, chunks=gone.chunks, tid=gone.tid)


async def set_slots(visit: Visit, given: arguments.Set) -> SlotsSet:
    for slot in given.slots:
        names.check_setting(slot)
    if names.LEARNING in given.slots:
        check_learning(given.slots[names.LEARNING])
    codec.encode(given.slots)
    wanted = SetSlots(name=mandate.check_target(given.name), slots=given.slots)
    return await visit.line.ask(verbs.SET, wanted, key=sending.check_key(given.key))


async def drop(visit: Visit, given: arguments.Drop) -> Dropped:
    wanted = Drop(name=mandate.check_target(given.name), entry=given.entry, force=given.force)
    return await visit.line.ask(verbs.DROP, wanted, key=sending.check_key(given.key))
