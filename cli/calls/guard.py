"""`batos guard`: the guardian's own command, started as a process of its own.

The command imports no actor, and the guardian needs nothing that runs. Its lines are JSON; for a person they are
rendered as they come, and its exit code is ours.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from cli.console import Invocation, paint
from protocol.errors import BatosError
from protocol.failure import Failure, raised_from

_ROOT = Path(__file__).resolve().parent.parent.parent


def run(invocation: Invocation, words: Sequence[str]) -> int:
    """Judge what `words` name; the guardian's exit code (4: something was rejected)."""
    with process(words, home=invocation.home) as child:
        assert child.stdout is not None
        try:
            for text in child.stdout:
                if invocation.json:
                    invocation.raw(text)
                else:
                    _show(invocation, json.loads(text))
        except BatosError:  # nobody can be shown the rest
            child.kill()
            raise
    return child.returncode


def judge(source: str, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and the lines for one source, given as text."""
    with process(["-", *words], stdin=subprocess.PIPE) as child:
        told, _ = child.communicate(source.encode())
    lines = [json.loads(text) for text in told.splitlines()]
    for line in lines:
        if "error" in line:
            raise _error(line)
    return child.returncode, lines


def process(words: Sequence[str], *, stdin: int | None = None, home: str | None = None) -> subprocess.Popen[bytes]:
    """The guardian's process. `-P` keeps a folder `actors` where the user happens to stand out of it."""
    command = [sys.executable, "-P", "-m", "actors.guardian", "guard", *words]
    return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, env=environment(home))  # noqa: S603


def environment(home: str | None) -> dict[str, str]:
    """Ours, with the home that was asked for, and where our packages stand (they need not be installed)."""
    chosen = {"BATOS_HOME": home} if home else {}
    known = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    return {**os.environ, **chosen, "PYTHONPATH": os.pathsep.join(dict.fromkeys([*known, str(_ROOT)]))}


def _show(invocation: Invocation, line: Mapping[str, Any]) -> None:
    if "error" in line:
        invocation.failure(_error(line))
    else:
        invocation.result(line, _verdict(line))


def _verdict(line: Mapping[str, Any]) -> str:
    """A verdict for a person, and below it each broken rule."""
    from cli.values import printable  # noqa: PLC0415  # while the child is starting

    word = paint(line["verdict"], "green" if line["verdict"] == "accept" else "red", sys.stdout)
    broken = [f"  line {one['line']}: {one['rule']} {one['message']}" for one in line.get("violations", [])]
    return "\n".join([f"{printable(str(line['id']))}: {word}", *map(printable, broken)])


def _error(line: Mapping[str, Any]) -> BatosError:
    return raised_from(msgspec.convert(line["error"], Failure))
