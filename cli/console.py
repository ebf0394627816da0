"""What the command prints, and where: results on stdout, progress on stderr, a failure last.

With `--json` stdout has one JSON object on one line, the result or the failure, and stderr the events, a line each; with
`--events` these stand on stdout too, before the result. Without it stdout has the result for a person, and stderr everything
else. On a terminal lines are folded at its edge, but for what somebody will copy: a source, a value, a text that was asked for.

While a command waits, the last line of the terminal lives (`live`).

Where the reader of stdout has gone (`| head -1`), printing stops and the work goes on. Where stdout cannot be written (a full
disk), that is a failure of its own, told on stderr. Where stderr cannot be written, the result is printed all the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, TextIO

import click

from cli.live import Doing, Flow, Live, columns, folded
from protocol.errors import BatosError


class Invocation:
    """What every command is told: the home, and the form of what it prints."""

    def __init__(self) -> None:
        self.home: str | None = None
        self.json = False
        self.events = False
        self.live = Live()
        self._flow = Flow()
        self._is_mute = False

    @contextmanager
    def waits(self, doing: str) -> Iterator[None]:
        """Show that the command lives while the block lasts. `doing` says in plain words what it does."""
        with nullcontext() if self.json else self.live.shown(doing):
            yield

    def result(self, value: Any, text: str, *, verbatim: bool = False) -> None:
        """The result: `value` as JSON, or `text` for a person; `verbatim`: as it is, on a narrow terminal too."""
        self._say(_line(value) if self.json else text if verbatim else fitting(text, sys.stdout))

    def raw(self, line: bytes) -> None:
        """A line of JSON that is one already."""
        self._say(line.decode().rstrip("\n"))

    def event(self, value: Any, text: str, doing: Doing | None = None) -> None:
        """Something on the way to the result. `value` has the key "event"; an empty `text` is too small to tell.

        `doing` is what is done from now on, for the line that lives.
        """
        if self.json and self.events:
            self._say(_line(value))
        elif self.json:
            self.progress(_line(value))
        else:
            if doing is not None:
                self.live.say(doing)
            if text:
                self.progress(text)

    def step(self, doing: Doing, text: str) -> None:
        """How far something is: on the line that lives where there is one, else as a line, if `text` is worth one."""
        if self.live.is_possible and not self.json:
            self.live.say(doing)
        elif text:
            self.progress(text)

    @property
    def streams(self) -> bool:
        """Whether a person watches the result grow."""
        return not self.json and sys.stdout.isatty()

    def grow(self, text: str) -> None:
        """More of the result, where somebody watches. A line feed ends it; until then its last word is held back."""
        if self.streams and (done := self._flow.take(text, columns(sys.stdout))):
            self._say(done, end="")

    def progress(self, text: str, *, verbatim: bool = False) -> None:
        """A line on stderr; `verbatim` as in `result`."""
        with suppress(OSError), self.live.aside():
            write(sys.stderr, text if self.json or verbatim else fitting(text, sys.stderr))

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
            with self.live.aside(ends_line=f"{text}{end}".endswith("\n")):
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


def fitting(text: str, stream: TextIO) -> str:
    """`text` folded at the edge of the terminal that `stream` is; as it is where it is none."""
    return folded(text, columns(stream)) if stream.isatty() else text


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
