"""The last line of a terminal while a command waits: a mark that turns, what is being done in plain words, and for how long.

It is one line on standard error, drawn by a thread, so that it lives whatever the command waits for. Whoever prints something
takes it away first (`aside`), and it is drawn again below. Where standard error is no terminal there is no such line, and where
nothing takes long nobody sees one.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple, TextIO

AFTER_S: Final = 0.4
"""What is done sooner shows no line."""
EVERY_S: Final = 0.1
WIDTH: Final = 80
"""Columns where a terminal does not say how many it has."""
_BAR: Final = 20
_TURNING: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PLAIN: Final = "|/-\\"
_CLEAR: Final = "\r\x1b[2K"
_CODES: Final = re.compile(r"\x1b\[[0-9;]*m")


class Doing(NamedTuple):
    """What is being done, in plain words; `done` of `of` where that is known."""

    text: str
    done: int | None = None
    of: int | None = None


class Live:
    """The live line of one command. It is there between `begin` and `end`, and the last `say` is what it tells."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._lock = threading.RLock()
        self._doing = Doing("waits")
        self._began = 0.0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_drawn = self._is_inside = False

    @property
    def stream(self) -> TextIO:
        return self._stream or sys.stderr

    @property
    def is_possible(self) -> bool:
        """Whether a line can be drawn over and over here."""
        return self.stream.isatty() and os.environ.get("TERM") != "dumb"

    @contextmanager
    def shown(self, doing: str) -> Iterator[None]:
        """The line lives while the block lasts, however it ends. Within another such block only the words change."""
        self.say(Doing(doing))
        if self._thread is not None or not self.is_possible:
            yield
            return
        self._began = time.monotonic()
        self._ended.clear()
        self._thread = threading.Thread(target=self._turn, daemon=True, name="live")
        self._thread.start()
        try:
            yield
        finally:
            self._ended.set()
            self._thread.join()
            self._thread = None
            with self._lock:
                self._clear()

    def say(self, doing: Doing) -> None:
        """What is being done from now on."""
        with self._lock:
            self._doing = doing

    @contextmanager
    def aside(self, *, ends_line: bool = True) -> Iterator[None]:
        """Print within the block. Text that does not end its line keeps the live one away until something does."""
        with self._lock:
            self._clear()
            yield
            self._is_inside = not ends_line

    def _turn(self) -> None:
        number = 0
        while not self._ended.wait(EVERY_S):
            spent = time.monotonic() - self._began
            with self._lock:
                if spent >= AFTER_S and not self._is_inside:
                    self._draw(number, spent)
            number += 1

    def _draw(self, number: int, spent: float) -> None:
        with suppress(OSError, ValueError):  # nobody sees a line on a stream that is gone
            self.stream.write(_CLEAR + line(self._doing, spent, number, columns(self.stream), self.stream.encoding))
            self.stream.flush()
            self._is_drawn = True

    def _clear(self) -> None:
        if self._is_drawn:
            with suppress(OSError, ValueError):
                self.stream.write(_CLEAR)
                self.stream.flush()
            self._is_drawn = False


def line(doing: Doing, spent: float, number: int, width: int, encoding: str | None) -> str:
    """The line at the `number`th moment. It ends a column before the edge, where some terminals would begin another line."""
    is_wide = _can(encoding, _TURNING)
    marks = _TURNING if is_wide else _PLAIN
    time_spent = elapsed(spent)
    told = ""
    if doing.done is not None and doing.of:
        share = min(1.0, doing.done / doing.of)
        full = round(share * _BAR)
        signs = "█░" if is_wide else "#-"
        told = f"  {signs[0] * full}{signs[1] * (_BAR - full)} {doing.done}/{doing.of}"
    left = width - 1 - 2 - len(told) - 2 - len(time_spent)
    text = cut(doing.text, max(8, left), "…" if is_wide else "...")
    return cut(f"{marks[number % len(marks)]} {text}{told}  {time_spent}", width - 1, "")


def elapsed(seconds: float) -> str:
    """`7 s`, `2 min 05 s`, `1 h 02 min`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def cut(text: str, width: int, end: str = "…") -> str:
    """`text`, which has no line feeds, within `width` columns."""
    if columns_of(text) <= width:
        return text
    kept = ""
    for letter in text:
        if columns_of(kept + letter) > width - len(end):
            break
        kept += letter
    return kept + end


def columns_of(text: str) -> int:
    """How many columns a terminal gives `text`; colours take none."""
    bare = _CODES.sub("", text)
    if bare.isascii():
        return len(bare)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in bare
    )


def columns(stream: TextIO) -> int:
    """The columns of the terminal that `stream` is."""
    with suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns or WIDTH
    return WIDTH


def folded(text: str, width: int) -> str:
    """`text` in lines of at most `width` columns, broken between words; what goes on stands under its line, further in."""
    return "\n".join(part for each in text.split("\n") for part in _fold(each, width))


class Flow:
    """Text that grows, folded on its way: a word is written once it is whole, on the line where it has room."""

    def __init__(self) -> None:
        self._word = ""
        self._column = 0

    def take(self, text: str, width: int) -> str:
        """What can be written now that `text` has come. A line feed ends the word before it."""
        done = ""
        for letter in text:
            if letter not in " \n":
                self._word += letter
                continue
            done += self._placed(width)
            if letter == "\n" or self._column < width:
                done += letter
                self._column = 0 if letter == "\n" else self._column + 1
        return done

    def _placed(self, width: int) -> str:
        word, self._word = self._word, ""
        room = columns_of(word)
        new_line = "\n" if self._column and self._column + room > width else ""
        self._column = room if new_line else self._column + room
        return new_line + word


def _fold(text: str, width: int) -> Iterator[str]:
    if columns_of(text) <= width:
        yield text
        return
    indent = len(text) - len(text.lstrip(" "))
    inner = " " * min(indent + 2, width // 3)
    here, is_empty = " " * min(indent, width // 2), True
    for word in text[indent:].split(" "):
        joined = f"{here}{'' if is_empty else ' '}{word}"
        if columns_of(joined) <= width or (is_empty and not word):
            here, is_empty = joined, False
            continue
        if not is_empty:
            yield here.rstrip(" ")
            here = inner
        rest = word
        while columns_of(here + rest) > width:
            piece = cut(rest, max(1, width - len(here)), "") or rest[0]  # wider than the terminal
            yield here + piece
            here, rest = inner, rest[len(piece) :]
        here, is_empty = here + rest, False
    yield here.rstrip(" ")


def _can(encoding: str | None, text: str) -> bool:
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
