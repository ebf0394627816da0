"""The bus on real sockets: what a caller sees when all is well, and when something dies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from bus.broker.broker import Broker
from bus.client import Client
from bus.link import sealed
from bus.service import Call, Handler, serve
from protocol import verbs
from protocol.codec import MAX_FRAME_BYTES
from protocol.envelope import Envelope
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import ActorStatus, Infer, Inferred, Piece, Row, StatusQuery
from protocol.verbs import Verb

DONE = Inferred(rows=[], prompt_tokens=1, seconds=0.0)


async def status(_request: StatusQuery, _call: Call) -> ActorStatus:
    return ActorStatus(ready=True, pid=os.getpid(), uptime_s=0.0)


@contextlib.asynccontextmanager
async def serving(home: Home, infer: Handler | None = None, **options: Any) -> AsyncIterator[asyncio.Event]:
    """An inference service in this loop, on the bus when the block begins."""
    stop = asyncio.Event()
    handlers: dict[str, Handler] = {"status": status} | ({"infer": infer} if infer else {})
    task = asyncio.create_task(serve(home.bus, "inference", handlers, stop=stop, **options))
    async with Client(home.bus, "waiting") as client:
        await appeared(client)
    try:
        yield stop
    finally:
        stop.set()
        await task


async def appeared(client: Client, pid: int | None = None) -> ActorStatus:
    """The status of inference, as soon as it (as process `pid`) is there."""
    async with asyncio.timeout(20):
        while True:
            try:
                found = await client.call(verbs.STATUS["inference"], StatusQuery(), seconds=5)
            except BatosError as error:
                if error.code not in ("NOT_READY", "NOT_RUNNING"):
                    raise
            else:
                if pid in (None, found.pid):
                    return found
            await asyncio.sleep(0.02)


@pytest.fixture
async def client(home: Home) -> AsyncIterator[Client]:
    async with Client(home.bus, "test") as made:
        yield made


@pytest.fixture
def worker(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    here = Path(__file__)
    process = subprocess.Popen(
        [sys.executable, str(here.with_name("small_worker.py")), home.bus],
        env={**os.environ, "PYTHONPATH": str(here.parents[2])},
    )
    yield process
    process.kill()
    process.wait()


async def error_of(awaitable: Any) -> BatosError:
    with pytest.raises(BatosError) as caught:
        await awaitable
    return caught.value


def ask(client: Client, prompt: str = "", *, seconds: float = 10.0, **more: Any) -> Any:
    return client.call(verbs.INFER, Infer(rows=[Row(prompt=prompt)]), seconds=seconds, **more)


@pytest.mark.usefixtures("broker")
async def test_partials_come_in_order_and_then_the_reply(home: Home, client: Client) -> None:
    async def infer(_request: Infer, call: Call) -> Inferred:
        def stream() -> None:
            for n in range(100):
                call.partial(Piece(row=n, text="x"))

        await asyncio.to_thread(stream)  # from another thread, as a decoder sends them
        return DONE

    got: list[Piece] = []
    async with serving(home, infer):
        assert await ask(client, on_partial=got.append) == DONE
    assert [piece.row for piece in got] == list(range(100))


@pytest.mark.usefixtures("broker")
async def test_a_handler_sees_who_asked_and_how_long_it_has(home: Home, client: Client) -> None:
    seen: list[Call] = []

    async def infer(request: Infer, call: Call) -> Inferred:
        seen.append(call)
        assert request.rows[0].prompt == "hello"
        assert 4 < call.remaining() <= 5
        return DONE

    async with serving(home, infer):
        await ask(client, "hello", seconds=5, idem="key", causation="cause")
    envelope = seen[0].envelope
    assert (envelope.sender, envelope.idem, envelope.causation) == ("test", "key", "cause")


@pytest.mark.usefixtures("broker")
async def test_failures_travel_as_what_they_are(home: Home, client: Client) -> None:
    async def infer(request: Infer, call: Call) -> Any:
        match request.rows[0].prompt:
            case "refuse":
                raise BatosError("BAD_CONSTRAINT", "no such grammar", "Write another.", line=3)
            case "break":
                raise ZeroDivisionError("by zero")
            case "unsendable":
                raise BatosError("STORAGE", "bad \udc80 text", path=Path("/nowhere"))
            case "wrong":
                return ActorStatus(ready=True, pid=1, uptime_s=0.0)
            case "nan":
                return Inferred(rows=[], prompt_tokens=1, seconds=float("nan"))
            case _:
                call.partial(StatusQuery())
                return DONE

    async with serving(home, infer):
        error = await error_of(ask(client, "refuse"))
        assert (error.code, error.message, error.hint) == ("BAD_CONSTRAINT", "no such grammar", "Write another.")
        assert error.data == {"line": 3}
        for prompt, code, word in (
            ("break", "INTERNAL", "ZeroDivisionError"),
            ("unsendable", "STORAGE", "bad"),
            ("wrong", "INTERNAL", "ActorStatus"),
            ("nan", "BAD_VALUE", "finite"),
            ("", "INTERNAL", "no partial reply"),
        ):
            error = await error_of(ask(client, prompt))
            assert error.code == code
            assert word in error.message


@pytest.mark.usefixtures("broker")
async def test_what_is_not_in_the_protocol_is_refused_on_both_sides(home: Home, client: Client) -> None:
    for service, name in (("inference", "dream"), ("oracle", "status")):
        strange = Verb(service, name, None, StatusQuery, ActorStatus)
        assert (await error_of(client.call(strange, StatusQuery(), seconds=1))).code == "UNKNOWN_VERB"
    async with serving(home):
        assert (await error_of(ask(client))).code == "UNKNOWN_VERB", "a verb that this service does not serve"
        with raw_peer(home) as peer:
            for verb, body, code in (("dream", {}, "UNKNOWN_VERB"), ("status", 7, "BAD_MESSAGE")):
                peer.send(sealed(Envelope(id=verb, kind="request", service="inference", verb=verb, body=body)))
                # The only frame for this id: its failure.
                assert code.encode() in await asyncio.to_thread(peer.recv)


@contextlib.contextmanager
def raw_peer(home: Home) -> Iterator[zmq.Socket[bytes]]:
    with zmq.Context() as context, context.socket(zmq.DEALER) as peer:
        peer.set(zmq.LINGER, 0)
        peer.set(zmq.RCVTIMEO, 5000)
        peer.connect(home.bus)
        yield peer


@pytest.mark.usefixtures("broker")
async def test_garbage_harms_nobody(home: Home, client: Client) -> None:
    good = sealed(Envelope(id="1", kind="request", service="inference", verb="status", body={}))

    async def infer(_request: Infer, _call: Call) -> Inferred:
        return DONE

    async with serving(home, infer):
        with raw_peer(home) as peer:
            for frame in (
                b"",
                b"\xc1",
                b"\x00" * 5000,
                good[:-3],
                good + b"x",
                b"\xdf\xff\xff\xff\xff",
                os.urandom(300),
            ):
                peer.send(frame)
            peer.send_multipart([b"", b"MDPC02", b"inference", good])
            for kind in ("final", "partial", "failure", "disconnect", "heartbeat", "ready"):
                peer.send(sealed(Envelope(id="1", kind=kind, service="inference", body={"capacity": -1})))  # type: ignore[arg-type]
            peer.send(good)
            while b"final" not in await asyncio.to_thread(peer.recv):
                pass
        with raw_peer(home) as peer:
            peer.send(b"x" * (MAX_FRAME_BYTES + 1))
            with socket.socket(socket.AF_UNIX) as stranger:
                stranger.connect(home.bus.removeprefix("ipc://"))
                stranger.sendall(b"GET / HTTP/1.1\r\n\r\n" + struct.pack(">Q", 1 << 60))
                assert await ask(client) == DONE


@pytest.mark.usefixtures("broker")
async def test_what_is_too_large_is_refused_before_it_is_sent(client: Client) -> None:
    assert (await error_of(ask(client, "x" * MAX_FRAME_BYTES))).code == "TOO_LARGE"


@pytest.mark.usefixtures("broker")
async def test_a_worker_that_is_killed_is_reported_with_its_requests(
    home: Home, client: Client, worker: subprocess.Popen[bytes]
) -> None:
    await appeared(client, worker.pid)
    asking = asyncio.create_task(ask(client, "hang", seconds=60))
    await asyncio.sleep(0.1)
    worker.kill()
    error = await error_of(asking)
    assert (error.code, error.data) == ("NOT_READY", {"lost": True})
    assert (await error_of(client.call(verbs.STATUS["inference"], StatusQuery(), seconds=60))).code == "NOT_READY"


@pytest.mark.usefixtures("broker")
async def test_a_worker_whose_loop_is_blocked_is_alive(client: Client, worker: subprocess.Popen[bytes]) -> None:
    await appeared(client, worker.pid)
    assert (await ask(client, "block", seconds=60)).prompt_tokens == worker.pid


@pytest.mark.usefixtures("broker")
async def test_a_worker_that_was_stopped_comes_back(client: Client, worker: subprocess.Popen[bytes]) -> None:
    await appeared(client, worker.pid)
    worker.send_signal(signal.SIGSTOP)
    error = await error_of(ask(client, "hang", seconds=60))
    assert error.data == {"lost": True}
    worker.send_signal(signal.SIGCONT)
    await appeared(client, worker.pid)


@pytest.mark.usefixtures("broker")
async def test_a_worker_drains_on_sigterm(client: Client, worker: subprocess.Popen[bytes]) -> None:
    await appeared(client, worker.pid)
    asking = asyncio.create_task(ask(client, "hang", seconds=1.5))
    await asyncio.sleep(0.1)
    worker.terminate()
    assert (await asking).prompt_tokens == worker.pid, "it gave its answer when the deadline had come"
    assert await asyncio.to_thread(worker.wait) == 0


@pytest.mark.usefixtures("broker")
async def test_a_client_that_goes_cancels_its_request(home: Home) -> None:
    cancelled = asyncio.Event()

    async def infer(_request: Infer, call: Call) -> Inferred:
        await call.cancelled.wait()
        cancelled.set()
        return DONE

    async with serving(home, infer):
        for leave in ("cancel", "close"):
            client = Client(home.bus, "leaving")
            asking = asyncio.create_task(ask(client, seconds=60))
            await asyncio.sleep(0.15)
            if leave == "cancel":
                asking.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asking
            else:
                await client.close()
                assert (await error_of(asking)).code == "NOT_RUNNING"
            await asyncio.wait_for(cancelled.wait(), 5)
            cancelled.clear()
            await client.close()


@pytest.mark.usefixtures("broker")
async def test_the_deadline_ends_the_call_and_tells_the_worker(home: Home, client: Client) -> None:
    ended = asyncio.Event()

    async def infer(_request: Infer, call: Call) -> Inferred:
        await call.cancelled.wait()
        await asyncio.sleep(1)  # later than anybody waits
        ended.set()
        return DONE

    async with serving(home, infer):
        assert (await error_of(ask(client, seconds=0.3))).code == "TIMEOUT"
        await asyncio.wait_for(ended.wait(), 5)


@pytest.mark.usefixtures("broker")
async def test_capacity_bounds_what_runs_at_once_and_status_passes_by(home: Home, client: Client) -> None:
    running = most = 0
    go_on = asyncio.Event()

    async def infer(_request: Infer, _call: Call) -> Inferred:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go_on.wait()
        running -= 1
        return DONE

    async with serving(home, infer, capacity=2):
        asking = [asyncio.create_task(ask(client)) for _ in range(5)]
        await asyncio.sleep(0.2)
        assert (await client.call(verbs.STATUS["inference"], StatusQuery(), seconds=5)).ready
        go_on.set()
        assert await asyncio.gather(*asking) == [DONE] * 5
    assert most == 2


@pytest.mark.usefixtures("broker")
async def test_an_error_in_the_callback_ends_the_call(home: Home, client: Client) -> None:
    async def infer(_request: Infer, call: Call) -> Inferred:
        call.partial(Piece(row=0, text="x"))
        return DONE

    def complain(_piece: Piece) -> None:
        raise LookupError("the caller's own")

    async with serving(home, infer):
        with pytest.raises(LookupError, match="own"):
            await ask(client, on_partial=complain)


async def test_no_broker_is_not_running(home: Home) -> None:
    async with Client(home.bus, "test", patience=0.1) as client:
        assert (await error_of(ask(client))).code == "NOT_RUNNING"


async def test_a_broker_that_is_killed_and_comes_back_is_met_again(home: Home, broker_process: Any) -> None:
    began = asyncio.Event()
    cancelled = asyncio.Event()

    async def infer(request: Infer, call: Call) -> Inferred:
        if request.rows[0].prompt == "hang":
            began.set()
            await call.cancelled.wait()
            cancelled.set()
        return DONE

    async with Client(home.bus, "test") as client, serving(home, infer):
        asking = asyncio.create_task(ask(client, "hang", seconds=60))
        await began.wait()
        broker_process.kill()
        broker_process.start()
        error = await error_of(asking)
        assert (error.code, error.data) == ("NOT_READY", {"lost": True})
        await asyncio.wait_for(cancelled.wait(), 5)
        assert await ask(client) == DONE


async def test_a_broker_that_stays_away_fails_what_was_under_way(home: Home, broker_process: Any) -> None:
    began = asyncio.Event()

    async def infer(_request: Infer, call: Call) -> Inferred:
        began.set()
        await call.cancelled.wait()
        return DONE

    async with Client(home.bus, "test", patience=0.1) as client, serving(home, infer):
        asking = asyncio.create_task(ask(client, seconds=60))
        await began.wait()
        broker_process.kill()
        assert (await error_of(asking)).data == {"lost": True}
        assert (await error_of(ask(client))).code == "NOT_RUNNING"


async def test_nothing_is_left_of_a_closed_client(home: Home, broker: Broker) -> None:
    assert broker is not None
    async with Client(home.bus, "test") as client:
        await client.call(verbs.STATUS["broker"], StatusQuery(), seconds=5)
        assert [thread.name for thread in threading.enumerate()].count("bus-client") == 1
    # asyncio's own executor thread, which joined the client's, may stay.
    assert not [thread for thread in threading.enumerate() if thread.name == "bus-client"]
