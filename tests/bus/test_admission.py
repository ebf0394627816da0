"""Who may register a service: real processes in a small house, a real broker, and strangers."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from bus import admission
from bus.admission import SOCKET, Admission
from bus.client import Client
from bus.kin import Kin, look
from bus.link import sealed
from bus.process.lock import holder
from bus.registration import Ready
from bus.service import serve
from protocol import verbs
from protocol.codec import convert
from protocol.envelope import Envelope, open_frame
from protocol.errors import BatosError
from protocol.failure import Failure
from protocol.home import Home
from protocol.messages import ActorStatus, StatusQuery

HERE = Path(__file__).parent
WORKER = (sys.executable, str(HERE / "small_worker.py"))


async def pid_of(home: Home, service: str = "inference", *, seconds: float = 20.0) -> int:
    """The process that serves it; 0 where nobody does in so many seconds."""
    until = time.monotonic() + seconds
    async with Client(home.bus, "asking") as client:
        while time.monotonic() < until:
            try:
                return int((await client.call(verbs.STATUS[service], StatusQuery(), seconds=5)).pid)
            except BatosError as error:
                if error.code not in ("NOT_READY", "NOT_RUNNING"):
                    raise
                await asyncio.sleep(0.05)
    return 0


@pytest.fixture
def house(home: Home, make_house: Callable[[], Any]) -> Any:
    """A house whose broker is up."""
    made = make_house()
    pid = made.start("broker", sys.executable, "-m", "bus.broker", "--home", str(home.root))
    until = time.monotonic() + 60
    while holder(home.run / "bus.lock") != pid:
        assert time.monotonic() < until
        time.sleep(0.01)
    return made


async def test_a_program_of_the_house_registers_its_own_service(home: Home, house: Any) -> None:
    pid = house.start("inference", *WORKER, home.bus)
    assert await pid_of(home) == pid


async def test_nobody_else_registers_it_by_the_services_own_code(home: Home, house: Any, capfd: Any) -> None:
    async def status(_request: StatusQuery, _call: Any) -> ActorStatus:
        return ActorStatus(ready=True, pid=os.getpid(), uptime_s=0.0)

    stop = asyncio.Event()
    false = asyncio.create_task(serve(home.bus, "inference", {"status": status}, stop=stop))
    other = house.start("memory", *WORKER, home.bus)
    assert await pid_of(home, seconds=4) == 0
    pid = house.start("inference", *WORKER, home.bus)
    for _ in range(10):
        assert await pid_of(home) == pid
    assert look(other) is not None, "it goes on trying"
    stop.set()
    await false
    assert capfd.readouterr().out.count("not registered") == 1, "said once, however often it is tried"


async def test_a_ready_without_a_token_or_with_anothers_is_refused_and_told_so(home: Home, house: Any) -> None:
    assert house is not None
    with zmq.Context() as context, context.socket(zmq.DEALER) as false:
        false.set(zmq.LINGER, 0)
        false.set(zmq.RCVTIMEO, 5000)
        false.connect(home.bus)
        for token in ("", "0" * 32, "\u00e9"):
            body = Ready(capacity=9, pid=1, token=token)
            false.send(sealed(Envelope(id="", kind="ready", service="orchestrator", body=body)))
            answer = open_frame(await asyncio.to_thread(false.recv))
            assert (answer.kind, answer.id) == ("failure", "")
            assert convert(answer.body, Failure).code == "REFUSED"
    assert await pid_of(home, "orchestrator", seconds=0.5) == 0


async def test_a_broker_that_comes_back_is_told_again(home: Home, house: Any) -> None:
    pid = house.start("inference", *WORKER, home.bus)
    assert await pid_of(home) == pid
    os.kill(house.pids[0], 9)
    house.start("broker", sys.executable, "-m", "bus.broker", "--home", str(home.root))
    assert await pid_of(home) == pid


def test_whoever_has_taken_the_brokers_socket_gets_no_question(home: Home, house: Any) -> None:
    assert house is not None
    kin = Kin(home.run)
    (home.run / SOCKET).unlink()
    code = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.bind(sys.argv[1]); s.listen();"
        "print(1, flush=True); c, _ = s.accept(); print(len(c.recv(99)))"
    )
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}, sys.argv[1]])"
    words = [sys.executable, "-c", nested, str(home.run / SOCKET)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as false:
        assert false.stdout is not None
        false.stdout.readline()
        with pytest.raises(BatosError, match="not this home's broker") as caught:
            admission.ask(home.run, kin, "inference")
        assert caught.value.code == "REFUSED"
        assert false.stdout.readline() == "0\n", "it was told nothing"


@pytest.fixture
def admitting(home: Home) -> Iterator[Admission]:
    made = Admission(home.run)
    with made.open():
        yield made


def test_a_token_is_for_one_service_and_the_same_for_who_asks_again(home: Home, admitting: Admission) -> None:
    kin = Kin(home.run)
    token = admission.ask(home.run, kin, "memory")
    assert admission.ask(home.run, kin, "memory") == token
    other = admission.ask(home.run, kin, "guardian")
    assert other != token
    assert admitting.admits(token, "memory")
    assert admitting.admits(other, "guardian")
    for false, service in ((token, "guardian"), (other, "memory"), ("", "memory"), (token[:-1], "memory")):
        assert not admitting.admits(false, service)


def test_the_token_of_a_process_that_has_ended_is_worth_nothing(home: Home, admitting: Admission) -> None:
    code = (
        "import sys; from pathlib import Path; from bus import admission, kin; run = Path(sys.argv[1]);"
        "print(admission.ask(run, kin.Kin(run), 'memory'))"
    )
    words = [sys.executable, "-c", code, str(home.run)]
    ended = subprocess.run(words, cwd=HERE.parents[1], capture_output=True, text=True, check=True)
    admission.ask(home.run, Kin(home.run), "memory")
    assert not admitting.admits(ended.stdout.strip(), "memory")


@pytest.mark.usefixtures("admitting")
def test_whoever_says_nothing_or_goes_at_once_keeps_nobody_waiting_for_long(home: Home) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as mute:
        mute.connect(str(home.run / SOCKET))
        for said in (b"", b"x" * 10_000, b"\xff"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as gone:
                gone.connect(str(home.run / SOCKET))
                if said:
                    gone.send(said)
        assert admission.ask(home.run, Kin(home.run), "memory")


def test_where_no_broker_listens_it_is_not_ready(home: Home) -> None:
    with pytest.raises(BatosError) as caught:
        admission.ask(home.run, Kin(home.run), "memory")
    assert caught.value.code == "NOT_READY"
