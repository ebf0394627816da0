"""The tour: ten minutes in a throw-away world, by hand.

What is said and what is to be typed stands in `tour.toml`, beside the objects (`shapes.json`, a bundle). Every command is the real
one, in a process of its own on this terminal; after each step the world is looked at, whether it is as the step says. By itself
(`--auto`) the tour types what it shows.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec

from cli import lifecycle
from cli.calls import hand, objects
from cli.console import Invocation
from cli.render import render
from cli.render.pasting import pasteable
from cli.stories import throwaway
from cli.stories.throwaway import expect
from protocol.errors import BatosError
from protocol.home import Home

BUNDLE: Final = "shapes.json"
WIDTH: Final = 80
REFUSED: Final = 4


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step. The commands in `refused` are meant to end with exit code 4."""

    name: str
    text: str
    commands: list[str]
    refused: list[str] = []


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    begin: str
    end: str
    files: dict[str, str]
    steps: list[Step]


class Left(Exception):  # noqa: N818  a person's word, and no error
    """The person wants to go on with the next step, or, with `for_good`, to end the tour."""

    def __init__(self, *, for_good: bool) -> None:
        super().__init__()
        self.for_good = for_good


def script() -> Script:
    """The texts that ship."""
    return msgspec.toml.decode((files("cli.stories") / "tour.toml").read_bytes(), type=Script)


def run(invocation: Invocation, *, auto: bool) -> dict[str, Any]:
    """Walk through all steps: `{"ok", "seconds", "steps"}`. Whatever happens, nothing keeps running. USAGE where nobody types."""
    if not auto and (invocation.json or not sys.stdin.isatty()):
        raise BatosError(
            "USAGE", "the tour is walked by hand, and nobody is there to type", "Say --auto, or try: batos demo"
        )
    with throwaway.home() as home, _ending():
        return Tour(home, invocation, auto=auto).walk()


class Tour:
    """One walk. `folder` is where its commands run and find their files."""

    def __init__(self, home: Home, invocation: Invocation, *, auto: bool) -> None:
        self.home = home
        self.folder = home.root.parent
        self.script = script()
        self.tell = invocation.progress
        self._invocation = invocation
        self._auto = auto
        self._then = datetime.now().astimezone()

    def walk(self) -> dict[str, Any]:
        started, found = time.perf_counter(), []
        self._lay_out()
        self.tell(_filled(self.script.begin))
        try:
            with self._invocation.waits("starts a world"):
                asyncio.run(lifecycle.up(self.home, self.tell))
            for number, step in enumerate(self.script.steps, 1):
                self.tell(f"\n{number} of {len(self.script.steps)}: {step.name}\n\n{_filled(step.text)}")
                try:
                    found.append(self._taken(step))
                except Left as left:
                    if left.for_good:
                        break
        finally:
            with self._invocation.waits("stops the world"):
                asyncio.run(lifecycle.down(self.home, lambda _: None))
        self.tell(f"\n{_filled(self.script.end)}")
        return throwaway.told(found, started)

    def _lay_out(self) -> None:
        for name, text in self.script.files.items():
            (self.folder / name).write_text(text.lstrip("\n"), encoding="utf-8")
        shutil.copyfile(str(files("cli.stories") / BUNDLE), self.folder / BUNDLE)

    def _taken(self, step: Step) -> dict[str, Any]:
        """One step, as often as the person wants it again."""
        while True:
            began, broken = time.perf_counter(), None
            if step.name == "correct":
                self._then = datetime.now().astimezone()
            try:
                for command in step.commands:
                    self._one(command, may_be_refused=command in step.refused)
            except BatosError as error:
                broken = error
            found = asyncio.run(throwaway.attempt(step.name, self._checked(step, broken), began))
            self._invocation.event({"event": "step", **found}, render.step(found))
            if found["ok"] or self._auto:
                return found
            self.tell("\nIt is not as the step says. Enter takes the step once more, `skip` goes on.")
            _typed()

    def _checked(self, step: Step, broken: BatosError | None) -> Callable[[], Awaitable[str]]:
        async def checked() -> str:
            if broken is not None:
                raise broken
            check: Callable[[], Awaitable[str]] = getattr(self, f"check_{step.name}")
            return await check()

        return checked

    def _one(self, command: str, *, may_be_refused: bool) -> None:
        """Have the command that is shown run, after whatever else the person types before it."""
        shown = command.replace("{then}", f"{self._then:%Y-%m-%dT%H:%M:%S}")
        if "{pid}" in shown:
            shown = shown.replace("{pid}", str(self._orchestrator()))
        while True:
            self.tell(f"\n{pasteable(f'{shown}', '$ ')}", verbatim=True)
            typed = "" if self._auto else _typed()
            code = self._execute(shlex.split(typed or shown))
            if typed:
                continue
            if self._auto and code != (REFUSED if may_be_refused else 0):
                raise throwaway.wrong(f"`{shown}` has ended with {code}")
            return

    def _execute(self, words: list[str]) -> int:
        """Run what was typed; of other programs than batos only those that the tour shows."""
        match words:
            case ["batos", *rest]:
                command = [sys.executable, "-P", "-m", "cli.main", *rest]
            case ["cat", *names]:
                command = ["cat", "--", *names]
            case ["kill", "-9", pid] if pid.isdecimal() and int(pid) == self._orchestrator():
                os.kill(int(pid), signal.SIGKILL)
                return 0
            case _:
                self.tell("  Here are only `batos …`, `cat FILE` and the `kill` that is shown; `skip`, `quit`.")
                return 2
        place = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
        with _children_alone(), self._invocation.live.aside():
            return subprocess.run(  # noqa: S603 - the command itself, by whoever sits here
                command,
                cwd=self.folder,
                env={**os.environ, "BATOS_HOME": str(self.home.root), "PYTHONPATH": place},
                stdout=sys.stderr if self._invocation.json else None,
                check=False,
            ).returncode

    def _orchestrator(self) -> int:
        """The process that it is now."""
        return int(asyncio.run(lifecycle.status(self.home))["actors"]["orchestrator"]["pid"] or 0)

    # What each step must have come to -------------------------------------------------------------------------

    async def check_bring(self) -> str:
        found = await hand.listed(self.home, "objects", None, 100)
        names = [str(item["name"]) for item in found.items]
        expect({"box", "crate", "cup", "shape"} <= set(names), f"the world holds {names}")
        return f"{len(names)} objects stand here, each method judged and tried in this world"

    async def check_learn(self) -> str:
        seen = await objects.look(self.home, "box")
        expect("area_" in seen.methods, "box has no method area_")
        return f"box has learned area_, in cycle {seen.methods['area_'].author[:12]}"

    async def check_inspect(self) -> str:
        cycles = await objects.cycles(self.home, 10)
        expect(bool(cycles), "there is no cycle")
        return f"{len(cycles)} cycles can be read, step by step: batos cycle show {cycles[0].cycle[:12]}"

    async def check_refuse(self) -> str:
        seen = await objects.look(self.home, "box")
        author = seen.methods["widen_"].author if "widen_" in seen.methods else ""
        expect(author.startswith("user:"), "box has no widen_ of yours")
        return f"the one that signals its change stands, and is {author}'s"

    async def check_correct(self) -> str:
        found = await objects.source(self.home, "cup", "double_")
        source = str(found.method.source)
        expect("+ 2" not in source, "double_ is still the one that the bundle has brought")
        return "double_ is written anew, and owes that example from now on"

    async def check_kill(self) -> str:
        seen = await objects.look(self.home, "crate")
        expect("volume_" in seen.methods, "crate has no method volume_")
        of_crate = [one for one in await objects.cycles(self.home, 100) if one.target == seen.oid]
        expect(len(of_crate) == 1, f"the message had {len(of_crate)} cycles")
        return "killed in the middle of it, the message ended once: one cycle, one method, one answer"

    async def check_history(self) -> str:
        found = await hand.history(self.home, "cup", "double_", 0, 10)
        authors = [one.author for one in found.versions]
        expect(len(authors) == 2, f"double_ has {len(authors)} versions")
        return f"two versions: by {authors[1]}, then by cycle {authors[0][:12]}"

    async def check_revert(self) -> str:
        found = await hand.history(self.home, "cup", "double_", 0, 10)
        expect(len(found.versions) == 3, f"double_ has {len(found.versions)} versions")
        expect(found.versions[0].sha256 == found.versions[2].sha256, "another version stands than the first one")
        return "the first version stands again, and the second one can still be read"


def _typed() -> str:
    """What the person has typed; "" for the command that is shown."""
    try:
        typed = input("tour> ").strip()
    except EOFError:
        raise Left(for_good=True) from None
    if typed in {"skip", "quit", "exit"}:
        raise Left(for_good=typed != "skip")
    return typed


@contextlib.contextmanager
def _children_alone() -> Iterator[None]:
    """Leave Ctrl-C to the command that runs: the tour goes on after it."""
    before = signal.signal(signal.SIGINT, lambda *_: None)  # a child does not inherit a handler
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _ending() -> Iterator[None]:
    """Let SIGTERM end the tour as Ctrl-C does, with nothing left behind."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), WIDTH, break_on_hyphens=False)
