"""A system for the command to talk to: a real broker, and an orchestrator of ours behind it."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import tempfile
import threading
import time
from pathlib import Path

import pytest
import structlog

from bus.broker.broker import Broker
from bus.service import serve
from cli.main import main
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import ActorStatus


class System:
    """`home`, and `handlers` by verb (of the orchestrator). `start` and `stop` may be called again and again."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.handlers = {}
        self.envelopes = []
        self._broker = self._thread = self._loop = self._end = None

    def start(self) -> None:
        self.start_broker()
        self.start_orchestrator()

    def start_broker(self) -> None:
        self._broker = Broker(self.home.bus)
        thread = threading.Thread(target=self._broker.run, daemon=True)
        thread.start()
        self._broker_thread = thread
        while not self.home.socket_paths()[0].exists():
            time.sleep(0.01)

    def stop_broker(self) -> None:
        if self._broker is not None:
            self._broker.stop()
            self._broker_thread.join()
            self.home.socket_paths()[0].unlink(missing_ok=True)
            self._broker = None

    def start_orchestrator(self) -> None:
        up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(up)), daemon=True)
        self._thread.start()
        up.wait()

    def stop_orchestrator(self) -> None:
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()
            self._thread = None

    def stop(self) -> None:
        self.stop_orchestrator()
        self.stop_broker()

    async def _serve(self, up: threading.Event) -> None:
        async def status(_request, _call):
            return ActorStatus(ready=True, pid=1, uptime_s=1.0)

        def kept(handler):
            async def keep(request, call):
                self.envelopes.append(call.envelope)
                return await handler(request, call)

            return keep

        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        up.set()
        handlers = {"status": status, **{verb: kept(handler) for verb, handler in self.handlers.items()}}
        await serve(self.home.bus, "orchestrator", handlers, stop=self._end, drain=0.0)


class Inference:
    """An inference of ours behind a real broker. It answers as `replies` says, by verb; `asked` has every request."""

    def __init__(self, home):
        self.replies, self.asked = {}, []
        self._home, self._up = home, threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._up.wait(60)

    def stop(self):
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    async def _serve(self):
        async def status(_request, _call):
            return ActorStatus(ready=True, pid=1, uptime_s=1.0)

        def answering(verb):
            async def handler(request, _call):
                self.asked.append((verb, request))
                if isinstance(self.replies[verb], BatosError):
                    raise self.replies[verb]
                reply = self.replies[verb]
                return reply(request) if callable(reply) else reply

            return handler

        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._up.set()
        handlers = {
            "status": status,
            **{verb: answering(verb) for verb in ("import", "activate", "experts", "give", "model")},
        }
        await serve(self._home.bus, "inference", handlers, stop=self._end, drain=0.0)


@pytest.fixture
def home():
    folder = tempfile.mkdtemp(prefix="batos-test-", dir="/tmp")
    yield Home(Path(folder)).prepare()
    shutil.rmtree(folder)


@pytest.fixture
def system(home):
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # of the actors in here
    made = System(home)
    yield made
    made.stop()
    structlog.reset_defaults()


@pytest.fixture
def serving(system):
    """Makes the inference; whoever asks says what it answers, and starts it."""
    made = []

    def make():
        system.start_broker()
        made.append(Inference(system.home))
        return made[0]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def batos(home, capsys):
    """Run one command line against `home` with --json: its exit code and what it printed, line by line."""

    def run(*words):
        code = main(["--home", str(home.root), "--json", "--events", *words])
        told = capsys.readouterr()
        return code, [json.loads(line) for line in told.out.splitlines()]

    return run


@pytest.fixture
def told(home, capsys):
    """Run one command as a person would: the exit code, what was printed, and what was said beside it."""

    def run(*words):
        code = main(["--home", str(home.root), *words])
        out = capsys.readouterr()
        return code, out.out, out.err

    return run
