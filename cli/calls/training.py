"""`expert train`: a training beside a running system, and the import of what comes of it.

The training is a process of inference's own code, because the command imports no actor. It reads the world's base model
and prints its steps as lines of JSON. Ctrl-C and other signals are passed on to it, so that it ends with a checkpoint. Both
processes hold the lock of the expert's name: a training whose command was killed still holds it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from bus.process.lock import hold
from cli import wire
from cli.calls import experts, mandate
from cli.calls.guard import environment
from protocol.errors import BatosError
from protocol.failure import Failure, raised_from
from protocol.home import Home
from protocol.names import check_object

MODULE: Final = "actors.inference.training.train"
MAX_LINE: Final = 1 << 20

OnEvent = Callable[[dict[str, Any]], None]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to train: `file` holds a text, or rows of JSON where `rows`; the rest is as the command's options say it."""

    name: str
    file: str
    rows: bool
    persona: str | None
    rank: int
    epochs: int
    steps: int
    rate: float
    seed: int
    restart: bool


async def train(home: Home, wanted: Wanted, on_event: OnEvent) -> dict[str, Any]:
    """Train, import, and have the persona take it up where one is named: the expert's shape, and `training`.

    Besides what the import raises: BAD_DOCUMENT, BAD_JSON, BAD_ARGUMENT, UNREADABLE, TOO_LARGE before the first step;
    NAME_TAKEN, INTERRUPTED, TRAINING_FAILED, STORAGE.
    """
    check_object(wanted.name)
    if wanted.persona is not None:
        mandate.check_target(wanted.persona)
    async with wire.client(home) as bus:
        await wire.reach(home, bus, experts.SERVICE)
    with _hold(home, wanted.name) as lock:
        trained = await _run(home, _words(home, wanted), lock, on_event)
    expert = await experts.bring(home, trained["path"], wanted.name, wanted.persona)
    return {**msgspec.to_builtins(expert), "training": trained}


def _words(home: Home, wanted: Wanted) -> list[str]:
    source = "--jsonl" if wanted.rows else "--text"
    numbers = {"rank": wanted.rank, "epochs": wanted.epochs, "steps": wanted.steps, "seed": wanted.seed}
    words = [wanted.name, "--home", str(home.root), f"{source}={os.path.expanduser(wanted.file)}"]  # noqa: PTH111 - no path yet
    words += [f"--{name}={number}" for name, number in numbers.items()]
    return [*words, f"--rate={wanted.rate!r}", *(["--restart"] if wanted.restart else [])]


@contextmanager
def _hold(home: Home, name: str) -> Iterator[int]:
    folder = home.root / "training"
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        with hold(folder / f"{name}.lock", f"the training of {name}") as lock:
            yield lock
    except BatosError as error:
        if error.code != "HOME_HELD":
            raise
        raise BatosError("BUSY", error.message, "Wait for it, or give another name.", **error.data) from error


async def _run(home: Home, words: list[str], lock: int, on_event: OnEvent) -> dict[str, Any]:
    """The last line of the training's process."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", MODULE, *words),
        stdout=asyncio.subprocess.PIPE,
        env=environment(str(home.root)),
        pass_fds=[lock],
        limit=MAX_LINE,
        umask=0o077,
        start_new_session=True,  # Ctrl-C reaches it through us alone, and once
    )
    assert child.stdout is not None
    line: dict[str, Any] = {}
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        if child.returncode is None:
            child.terminate()

    try:
        with _signals(stop):
            async for text in child.stdout:
                line = json.loads(text)
                if "event" in line:
                    on_event(line)
            code = await child.wait()
    finally:
        if child.returncode is None:
            child.terminate()
            await child.wait()
    if "error" in line:
        raise raised_from(msgspec.convert(line["error"], Failure))
    if code == 0:
        return line
    if stopped:
        raise BatosError("INTERRUPTED", "stopped before the first step", "The same command begins again.")
    raise BatosError(
        "TRAINING_FAILED",
        f"the training's process has died ({code})",
        "Had it enough memory? The same command goes on from the last checkpoint.",
    )


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM call `stop` inside the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
