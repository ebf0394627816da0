"""What the command prints, and where: results on stdout, progress on stderr, a failure last.

With `--json` every line on stdout is one JSON object: events while there is something to tell, then the result or the
failure. Without it stdout has the result for a person, and stderr everything else.

Where the reader of stdout has gone (`| head -1`), printing stops and the work goes on. Where stdout cannot be written (a full
disk), that is a failure of its own, told on stderr. Where stderr cannot be written, the result is printed all the same.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any, TextIO

import click

from protocol.errors import BatosError


class Invocation:
    """What every command is told: the home, and the form of what it prints."""

    def __init__(self) -> None:
        self.home: str | None = None
        self.json = False
        self._is_mute = False

    def result(self, value: Any, text: str) -> None:
        """The result: `value` as JSON, or `text` for a person."""
        self._say(_line(value) if self.json else text)

    def raw(self, line: bytes) -> None:
        """A line of JSON that is one already."""
        self._say(line.decode().rstrip("\n"))

    def event(self, value: Any, text: str) -> None:
        """Something on the way to the result. `value` has the key "event"; an empty `text` is too small to tell."""
        if self.json:
            self._say(_line(value))
        elif text:
            self.progress(text)

    @property
    def streams(self) -> bool:
        """Whether a person watches the result grow."""
        return not self.json and sys.stdout.isatty()

    def grow(self, text: str) -> None:
        """More of the result, where somebody watches."""
        if self.streams:
            self._say(text, end="")

    def progress(self, text: str) -> None:
        with suppress(OSError):
            write(sys.stderr, text)

    def failure(self, error: BatosError) -> None:
        if self.json and not self._is_mute:
            try:
                self._say(_line(failure_shape(error)))
            except BatosError as unwritten:
                self.failure(unwritten)
            else:
                return
        self.progress(f"{paint('error', 'red', sys.stderr)} {error.code}: {_printable(error.message)}")
        if error.hint:
            self.progress(f"  {_printable(error.hint)}")

    def _say(self, text: str, end: str = "\n") -> None:
        """On stdout; STORAGE where that takes nothing, and from then on failures are told on stderr."""
        try:
            write(sys.stdout, text, end)
        except OSError as error:
            raise self.unwritten(error) from error

    def unwritten(self, error: OSError) -> BatosError:
        self._is_mute = True
        why = error.strerror or str(error)
        return BatosError("STORAGE", f"cannot write the result: {why}", "What the command has done until then stays.")


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


def write(stream: TextIO, text: str, end: str = "\n") -> None:
    """Print and flush. A reader that has gone is no error; for what else keeps it from being written, OSError."""
    try:
        print(text, end=end, file=stream, flush=True)
    except OSError as error:
        # What is still buffered would be written again when the interpreter ends, and fail there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise


def open_closed_streams() -> None:
    """Give a standard stream that was closed before we began (`>&-`) a place where nothing is read and nothing kept.

    Without that its number would go to the next file that is opened, and what is printed would land there.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123  # for as long as the process lives


def _line(value: Any) -> str:
    from cli import values  # noqa: PLC0415  # its codecs take time to import, which `guard` has better use for

    return values.line(value)


def _printable(text: str) -> str:
    from cli import values  # noqa: PLC0415

    return values.printable(text)
