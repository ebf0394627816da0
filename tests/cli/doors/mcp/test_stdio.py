"""Lines from a pipe, bounded; and what the relay answers, notes and hands on."""

from __future__ import annotations

import asyncio
import os

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCNotification, JSONRPCRequest, jsonrpc_message_adapter

from cli.doors.mcp import stdio
from cli.doors.mcp.stdio import Cancelled, Lines, relay


async def read_all(*pieces):
    """The lines of what is written in these pieces into a pipe that is then closed."""
    reading, writing = os.pipe()

    def write():
        for piece in pieces:
            os.write(writing, piece)
        os.close(writing)

    lines = Lines(reading)
    writer = asyncio.create_task(asyncio.to_thread(write))
    found = [line async for line in lines]
    await writer
    os.close(reading)
    return found


async def test_lines_come_one_by_one_however_they_are_cut():
    assert await read_all(b'{"a', b'":1}\n', b"{}\n", b"the rest") == ['{"a":1}', "{}", "the rest"]


async def test_bytes_that_are_no_text_stay_a_line():
    assert await read_all(b"\xff\xfe\n{}\n") == ["��", "{}"]


async def test_a_line_that_is_too_long_comes_as_nothing_and_the_next_one_is_whole(monkeypatch):
    monkeypatch.setattr(stdio, "MAX_LINE", 100)
    assert await read_all(b"x" * 101 + b"\n{}\n" + b"y" * 5000, b"y" * 5000 + b"\n{}\n") == ["", "{}", "", "{}"]


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 7))
def test_what_is_written_is_read(lines, cut):
    clean = [line.replace(b"\n", b"") for line in lines]
    whole = b"".join(line + b"\n" for line in clean)
    pieces = [whole[at : at + cut] for at in range(0, len(whole), cut)]
    assert asyncio.run(read_all(*pieces)) == [line.decode(errors="replace") for line in clean]


@pytest.fixture
async def relayed():
    """Hands items to a relay; what it hands on, what it answers, and what it has noted."""
    source_in, source = anyio.create_memory_object_stream(10)
    target, handed = anyio.create_memory_object_stream(10)
    answers, told = anyio.create_memory_object_stream(10)
    cancelled = Cancelled()

    async def run(*items):
        async with source_in:
            for item in items:
                await source_in.send(item)
        await relay(source, target, answers, cancelled)
        return (
            [handed.receive_nowait() for _ in range(handed.statistics().current_buffer_used)],
            [told.receive_nowait() for _ in range(told.statistics().current_buffer_used)],
            cancelled,
        )

    yield run
    for stream in (source, target, handed, answers, told):
        await stream.aclose()


async def test_what_is_no_message_is_answered_with_an_error(relayed):
    request = SessionMessage(JSONRPCRequest(jsonrpc="2.0", id=1, method="ping"))
    handed, told, _ = await relayed(ValueError("no JSON"), request)
    assert handed == [request]
    assert (told[0].message.id, told[0].message.error.code) == (None, -32700)


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (r'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"a":"\ud83d"}}', 7),
        (r'{"jsonrpc":"2.0","id":"a7","method":"tools/call","params":{"a":%s}}' % ("9" * 5000), "a7"),
        ('{"jsonrpc":"2.0","id":7,"method', None),
        ('{"jsonrpc":"2.0","id":true,"a":"\\ud83d"}', None),
        ('{"jsonrpc":"2.0","id":%s,"a":"\\ud83d"}' % ("9" * 5000), None),
        (r'{"jsonrpc":"2.0","id":"\ud83d","method":"ping"}', None),
        ("[" * 100_000, None),
        ("", None),
    ],
)
async def test_a_request_that_cannot_be_read_is_answered_by_its_id(relayed, line, number):
    with pytest.raises(ValueError, match="JSON") as unread:
        jsonrpc_message_adapter.validate_json(line, by_name=False)
    _, told, _ = await relayed(unread.value)
    assert (told[0].message.id, told[0].message.error.code) == (number, -32700)
    assert "on one line: Invalid JSON: " in told[0].message.error.message


async def test_what_the_client_cancels_is_noted_before_it_is_handed_on(relayed):
    note = JSONRPCNotification(jsonrpc="2.0", method="notifications/cancelled", params={"requestId": 7})
    handed, _, cancelled = await relayed(SessionMessage(note))
    assert len(handed) == 1
    assert 7 in cancelled
    assert 8 not in cancelled
