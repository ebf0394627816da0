"""Which hosts and pages may speak to the port."""

from __future__ import annotations

import httpx2
import pytest
from starlette.responses import PlainTextResponse

from cli.doors.http.guard import Guard, is_loopback


async def status(headers, *, host="127.0.0.1", port=8451):
    async def app(scope, receive, send):
        await PlainTextResponse("in")(scope, receive, send)

    transport = httpx2.ASGITransport(Guard(app, host, port))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8451") as client:
        return (await client.get("/", headers=headers)).status_code


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),
        ({"host": "localhost:8451"}, 200),
        ({"host": "[::1]:8451"}, 200),
        ({"host": "127.0.0.1:8452"}, 403),
        ({"host": "127.0.0.1"}, 403),
        ({"host": "rebound.example:8451"}, 403),
        ({"host": "localhost.rebound.example:8451"}, 403),
        ({"host": "192.168.0.7:8451"}, 403),
        ({"host": "@:8451:"}, 403),
        ({"origin": "http://localhost:8451"}, 200),
        ({"origin": "http://localhost:3000"}, 403),
        ({"origin": "https://page.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
    ],
)
async def test_on_loopback_only_this_port_is_spoken_to(headers, expected):
    assert await status(headers) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"host": "192.168.0.7:8451"}, 200),
        ({"host": "rebound.example:8451"}, 403),
        ({"origin": "http://page.example"}, 403),
    ],
)
async def test_on_a_network_an_address_may_be_named(headers, expected):
    assert await status(headers, host="0.0.0.0") == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("a.example", False)],
)
def test_loopback_is_what_only_this_machine_reaches(host, expected):
    assert is_loopback(host) is expected
