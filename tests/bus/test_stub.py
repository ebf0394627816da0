"""The stub bus must be as strict as the wire."""

from __future__ import annotations

import asyncio

import pytest

from bus.answer import Call
from bus.stub import StubBus
from protocol import verbs
from protocol.errors import BatosError
from protocol.messages import ActorStatus, Infer, Inferred, Piece, Row, StatusQuery, Unindex, Unindexed
from protocol.origin import Origin
from protocol.verbs import Verb

DONE = Inferred(rows=[], prompt_tokens=1, seconds=0.0)


async def test_request_and_reply_go_through_the_codec() -> None:
    def infer(request: Infer) -> Inferred:
        assert request.rows[0].schema == {"a": [1, 2]}, "the tuple became a list"
        return DONE

    bus = StubBus({("inference", "infer"): infer})
    reply = await bus.call(verbs.INFER, Infer(rows=[Row(schema={"a": (1, 2)})]), seconds=1)
    assert reply == DONE
    assert reply is not DONE
    assert [(service, verb) for service, verb, _ in bus.calls] == [("inference", "infer")]


async def test_partials_reach_the_caller_before_the_reply() -> None:
    async def infer(_request: Infer, call: Call) -> Inferred:
        assert call.envelope.idem == "key"
        for row in range(3):
            call.partial(Piece(row=row, text="x"))
        return DONE

    got: list[int] = []
    bus = StubBus({("inference", "infer"): infer})
    await bus.call(verbs.INFER, Infer(rows=[]), seconds=1, idem="key", on_partial=lambda piece: got.append(piece.row))
    assert got == [0, 1, 2]


async def test_where_nobody_listens_no_partial_is_sent() -> None:
    sent: list[int] = []

    async def infer(_request: Infer, call: Call) -> Inferred:
        listened = call.envelope.partials
        Call(call.envelope, lambda _: sent.append(listened)).partial(Piece(row=0, text="x"))
        with pytest.raises(TypeError):
            call.partial(StatusQuery())
        return DONE

    bus = StubBus({("inference", "infer"): infer})
    assert await bus.call(verbs.INFER, Infer(rows=[]), seconds=1) == DONE
    assert await bus.call(verbs.INFER, Infer(rows=[]), seconds=1, on_partial=lambda _: None) == DONE
    assert sent == [True]


async def test_whoever_asks_is_told_what_it_may_not() -> None:
    agent = Origin(kind="mcp", name="agent", rights=["ask"])
    bus = StubBus({("memory", "unindex"): lambda _: Unindexed(doc_id="d", chunks=1, tid="0" * 16)}, origin=agent)
    with pytest.raises(BatosError) as caught:
        await bus.call(verbs.UNINDEX, Unindex(doc_id="d"), seconds=1)
    assert (caught.value.code, caught.value.data) == ("NOT_ALLOWED", {"right": "install", "origin": "mcp:agent"})
    assert bus.calls == [], "it was refused before anybody met it"
    able = Origin(kind="mcp", name="agent", rights=["install"])
    await bus.call(verbs.UNINDEX, Unindex(doc_id="d"), seconds=1, origin=able)
    assert bus.origins == [able]


async def test_a_handlers_refusal_is_raised_and_its_mistake_is_kept() -> None:
    def refuse(_request: Infer) -> Inferred:
        raise BatosError("BUSY", "later", "Wait.", queue=3)

    def break_down(_request: StatusQuery) -> ActorStatus:
        raise KeyError("slip")

    bus = StubBus({("inference", "infer"): refuse, ("inference", "status"): break_down})
    with pytest.raises(BatosError) as caught:
        await bus.call(verbs.INFER, Infer(rows=[]), seconds=1)
    assert (caught.value.code, caught.value.hint, caught.value.data) == ("BUSY", "Wait.", {"queue": 3})
    await bus.join()
    with pytest.raises(BatosError, match="KeyError"):
        await bus.call(verbs.STATUS["inference"], StatusQuery(), seconds=1)
    with pytest.raises(KeyError, match="slip"):
        await bus.join(fail_fast=True)


async def test_it_refuses_what_the_wire_would_refuse() -> None:
    bus = StubBus({("inference", "infer"): lambda _request: ActorStatus(ready=True, pid=1, uptime_s=0.0)})
    for verb, request, code in (
        (Verb("inference", "dream", None, StatusQuery, ActorStatus), StatusQuery(), "NOT_READY"),
        (verbs.STATUS["guardian"], StatusQuery(), "NOT_READY"),
        (verbs.INFER, Infer(rows=[Row(schema={"a": float("inf")})]), "BAD_VALUE"),
        (verbs.INFER, Infer(rows=[]), "INTERNAL"),
    ):
        with pytest.raises(BatosError) as caught:
            await bus.call(verb, request, seconds=1)
        assert caught.value.code == code


async def test_the_deadline_holds_and_join_waits_for_the_rest() -> None:
    ended = []

    async def infer(_request: Infer, call: Call) -> Inferred:
        await call.cancelled.wait()
        await asyncio.sleep(0.05)
        ended.append(call.remaining() < 0)
        return DONE

    bus = StubBus({("inference", "infer"): infer})
    with pytest.raises(BatosError) as caught:
        await bus.call(verbs.INFER, Infer(rows=[]), seconds=0.05)
    assert caught.value.code == "TIMEOUT"
    await bus.join()
    assert ended == [True]
