"""What the command prints, and where: results on stdout, progress on stderr, a failure last.

With `--json` every line on stdout is one JSON object: events while there is something to tell, then the result or the
failure. Without it stdout has the result for a person, and stderr the rest. A reader that has gone (`| head -1`) stops
the printing and not the work.
"""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

import click

from protocol.errors import BatosError


class Invocation:
    """What every command is told: the home, and the form of what it prints."""

    def __init__(self) -> None:
        self.home: str | None = None
        self.json = False

    def result(self, value: Any, text: str) -> None:
        """The result: `value` as JSON, or `text` for a person."""
        _write(sys.stdout, _line(value) if self.json else text)

    def raw(self, line: bytes) -> None:
        """A line of JSON that is one already."""
        _write(sys.stdout, line.decode().rstrip("\n"))

    def event(self, value: Any, text: str) -> None:
        """Something on the way to the result. `value` has the key "event"; an empty `text` is too small to tell."""
        if self.json:
            _write(sys.stdout, _line(value))
        elif text:
            self.progress(text)

    @property
    def streams(self) -> bool:
        """Whether a person watches the result grow."""
        return not self.json and sys.stdout.isatty()

    def grow(self, text: str) -> None:
        """More of the result, where somebody watches."""
        if self.streams:
            _write(sys.stdout, text, end="")

    def progress(self, text: str) -> None:
        _write(sys.stderr, text)

    def failure(self, error: BatosError) -> None:
        if self.json:
            _write(sys.stdout, _line(failure_shape(error)))
            return
        _write(sys.stderr, f"{paint('error', 'red', sys.stderr)} {error.code}: {_printable(error.message)}")
        if error.hint:
            _write(sys.stderr, f"  {_printable(error.hint)}")


def failure_shape(error: BatosError) -> dict[str, Any]:
    """`{"error": {"code", "message", "hint", "mandate"?, "cycle"?, "goes_on"?, "data"?}}`."""
    facts = dict(error.data)
    named: dict[str, Any] = {key: facts.pop(key) for key in ("mandate", "cycle", "goes_on") if key in facts}
    shape: dict[str, Any] = {"code": error.code, "message": error.message, "hint": error.hint, **named}
    if facts:
        shape["data"] = facts
    return {"error": shape}


def paint(text: str, colour: str, stream: TextIO) -> str:
    """`text` in colour where `stream` is a terminal and its user has not said no (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or not stream.isatty():
        return text
    return click.style(text, fg=colour)


def _write(stream: TextIO, text: str, end: str = "\n") -> None:
    try:
        print(text, end=end, file=stream, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _line(value: Any) -> str:
    from cli import values  # noqa: PLC0415  # its codecs take time to import, which `guard` has better use for

    return values.line(value)


def _printable(text: str) -> str:
    from cli import values  # noqa: PLC0415

    return values.printable(text)
