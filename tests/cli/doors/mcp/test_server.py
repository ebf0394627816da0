"""The server before the SDK's own client: what is offered, carried, refused, told meanwhile and cancelled."""

from __future__ import annotations

import asyncio
import json

import pytest
from mcp.shared.exceptions import MCPError

from cli.doors.mcp.offered import TOOLS
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import (
    Cancelled,
    Checked,
    CheckProgress,
    Defined,
    Event,
    Listed,
    Looked,
    MandateReply,
    Reverted,
)

OID, TID = "000000000000002a", "03f1000000000001"
LOOKED = Looked(
    name="box", oid=OID, tid=TID, slots={"lid": Ref(OID), "raw": b"ab"}, parents=[Ref("0000000000000001")], methods={}
)
FOR_THE_USER = {"accept", "reject", "forget", "set", "drop"}


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_door_offers_what_it_may(connected, mode):
    async with connected(mode=mode) as client:
        plain = {tool.name: tool for tool in (await client.list_tools()).tools}
    async with connected(mode=mode, may_install=True) as client:
        all_tools = {tool.name for tool in (await client.list_tools()).tools}
    assert all_tools == {tool.name for tool in TOOLS}
    assert all_tools - set(plain) == FOR_THE_USER
    assert all(tool.description and tool.input_schema["additionalProperties"] is False for tool in plain.values())
    assert plain["look"].annotations.read_only_hint is True
    assert plain["send"].annotations.read_only_hint is False


async def test_an_object_is_looked_at_and_told_as_json(connected, bus):
    bus.handlers["orchestrator", "look"] = lambda request: LOOKED if request.target == "box" else None
    async with connected() as client:
        found = await client.call_tool("look", {"name": "box"})
    assert not found.is_error
    assert found.structured_content["slots"] == {"lid": {"$ref": OID}, "raw": {"$bytes": "YWI="}}
    assert json.loads(found.content[0].text) == found.structured_content
    assert bus.origins[-1].label == "mcp:test client"
    assert "install" not in bus.origins[-1].rights


async def test_who_may_install_says_so(connected, bus):
    bus.handlers["orchestrator", "look"] = lambda _: LOOKED
    async with connected(may_install=True, name="my agent") as client:
        await client.call_tool("look", {"name": "box"})
    assert (bus.origins[-1].name, "install" in bus.origins[-1].rights) == ("my agent", True)


@pytest.mark.parametrize("name", sorted(FOR_THE_USER))
async def test_what_only_the_user_does_is_refused_and_not_sent(connected, bus, name):
    async with connected() as client:
        found = await client.call_tool(name, {})
    assert found.is_error
    assert found.content[0].text.startswith("NOT_ALLOWED")
    assert bus.calls == []


async def test_a_failure_is_a_result_with_code_message_and_hint(connected, bus):
    def nobody(_request):
        raise BatosError("UNKNOWN_OBJECT", "no object is called box", "`batos ls` lists them.", near=["bax"])

    bus.handlers["orchestrator", "look"] = nobody
    async with connected() as client:
        found = await client.call_tool("look", {"name": "box"})
    assert found.is_error
    assert found.structured_content["error"] == {
        "code": "UNKNOWN_OBJECT",
        "message": "no object is called box",
        "hint": "the tool `objects` lists them.",
        "data": {"near": ["bax"]},
    }
    assert "bax" in found.content[0].text


async def test_what_waits_for_the_user_says_so_whichever_tool_has_proposed_it(connected, bus, home):
    waits = Defined(name="box", oid=OID, methods=[], tid=TID, proposal="P1")
    bus.handlers["orchestrator", "define"] = lambda _: waits
    bus.handlers["orchestrator", "revert"] = lambda _: Reverted(
        name="box", oid=OID, selector="area_", sha256="ab", proposal="P1"
    )
    async with connected() as client:
        defined = await client.call_tool("define", {"name": "box", "source": "def area_(self): return 1"})
        reverted = await client.call_tool("revert", {"name": "box", "selector": "area_"})
        offered = {tool.name: tool.output_schema["properties"] for tool in (await client.list_tools()).tools}
        bus.handlers["orchestrator", "define"] = lambda _: Defined(name="box", oid=OID, methods=[], tid=TID)
        stands = await client.call_tool("define", {"name": "box", "source": "def area_(self): return 1"})
    for found in (defined, reverted):
        assert f"batos --home {home.root} accept P1" in found.structured_content["next"]
    assert "next" not in stands.structured_content
    assert {name for name, fields in offered.items() if fields.get("next", {}).get("type") == "string"} == {
        "send", "learn", "define", "revert", "ask"
    }  # fmt: skip


async def test_a_message_that_is_answered_says_nothing_that_is_none(connected, bus):
    bus.handlers["orchestrator", "mandate"] = lambda _: MandateReply(mandate="M1", state="COMPLETE", result=None)
    async with connected() as client:
        found = await client.call_tool("send", {"name": "box", "selector": "area_"})
    assert found.structured_content == {"mandate": "M1", "state": "COMPLETE", "result": None, "synthesized": False}


async def test_a_bug_is_told_and_the_next_call_goes_on(connected, bus, capsys):
    def broken(_request):
        raise ZeroDivisionError

    bus.handlers["orchestrator", "look"] = broken
    bus.handlers["orchestrator", "list"] = lambda _: Listed(kind="objects", items=[])
    async with connected() as client:
        found = await client.call_tool("look", {"name": "box"})
        assert found.structured_content["error"]["code"] == "INTERNAL"
        assert not (await client.call_tool("objects", {})).is_error


async def test_a_tool_that_there_is_none_of_is_an_error_of_the_protocol(connected):
    async with connected() as client:
        with pytest.raises(MCPError, match="there is no tool 'format_disk'"):
            await client.call_tool("format_disk", {})


async def test_what_happens_to_a_mandate_is_told_in_order(connected, bus):
    def mandate(request, call):
        assert (request.target, request.selector, request.parameters) == ("box", "grow_", ["by"])
        assert request.args == [{"$ref": "pen"}]
        call.partial(Event(event="accepted", mandate="M1"))
        for state in ("IDLE", "SYNTHESIZING"):
            call.partial(Event(event="state", mandate="M1", cycle="C1", state=state))
        return MandateReply(mandate="M1", state="PROPOSED", cycle="C1", proposal="P1")

    bus.handlers["orchestrator", "mandate"] = mandate
    told = []

    async def note(progress, _total, message):
        told.append((progress, message))

    async with connected() as client:
        found = await client.call_tool(
            "send",
            {"name": "box", "selector": "grow_(by)", "args": [{"$ref": "pen"}], "key": "k1"},
            progress_callback=note,
        )
    assert [number for number, _ in told] == sorted({number for number, _ in told})
    assert [message for _, message in told] == ["accepted", "takes up the mission", "makes one of it"]
    assert (found.structured_content["state"], found.structured_content["proposal"]) == ("PROPOSED", "P1")
    assert "batos --home" in found.structured_content["next"]
    assert "accept P1" in found.structured_content["next"]


async def test_how_far_a_check_is_is_told(connected, bus):
    def check(_request, call):
        call.partial(CheckProgress(done=1, total=2, broken=0))
        call.partial(CheckProgress(done=2, total=2, broken=1))
        return Checked(ok=False, methods=[], contracts=2, examples=2, without=0, seconds=0.1, tid=TID)

    bus.handlers["orchestrator", "check"] = check
    told = []

    async def note(progress, total, _message):
        told.append((progress, total))

    async with connected() as client:
        await client.call_tool("check", {}, progress_callback=note)
    assert told == [(1, 2), (2, 2)]


@pytest.fixture
def thinking(bus):
    """A mandate that never ends by itself; what was begun and what was cancelled."""
    begun, cancelled = asyncio.Event(), []

    async def mandate(_request, call):
        call.partial(Event(event="accepted", mandate="M1"))
        begun.set()
        await call.cancelled.wait()
        return MandateReply(mandate="M1", state="COMPLETE")

    def cancel(request):
        cancelled.append(request.id)
        return Cancelled(mandate=request.id, cycle=None, state="FAILED", cancelled=True)

    bus.handlers["orchestrator", "mandate"] = mandate
    bus.handlers["orchestrator", "cancel"] = cancel
    return begun, cancelled


async def test_what_the_client_cancels_is_cancelled(connected, thinking):
    begun, cancelled = thinking
    async with connected() as client:
        waiting = asyncio.create_task(client.call_tool("send", {"name": "box", "selector": "area_"}))
        await begun.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        while not cancelled:
            await asyncio.sleep(0.01)
    assert cancelled == ["M1"]


async def test_what_a_client_leaves_goes_on(connected, thinking):
    begun, cancelled = thinking
    async with connected() as client:
        waiting = asyncio.create_task(client.call_tool("send", {"name": "box", "selector": "area_"}))
        await begun.wait()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert cancelled == []


async def test_a_flood_is_told_that_the_door_is_busy(connected, thinking, monkeypatch):
    from cli.doors.mcp import server

    monkeypatch.setattr(server, "AT_ONCE", 3)
    begun, _ = thinking
    async with connected() as client:
        held = [asyncio.create_task(client.call_tool("send", {"name": "box", "selector": "area_"})) for _ in range(3)]
        await begun.wait()
        while client.door._under_way < 3:
            await asyncio.sleep(0.01)
        found = await client.call_tool("objects", {})
        assert found.structured_content["error"]["code"] == "BUSY"
        for one in held:
            one.cancel()
        await asyncio.gather(*held, return_exceptions=True)
