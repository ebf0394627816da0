"""A real pseudo-terminal of 80 columns for the command to run in, and what a person sees on it at any moment."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

import pyte

COLUMNS, ROWS = 80, 40
WIDER = 200
"""Columns of the screen that is looked at: what would have wrapped stands beyond the 80th."""
PATIENCE_S = 60.0
_BEGIN = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
"""The terminal becomes the command's own, so that Ctrl-C reaches it."""


class Terminal:
    """`words` run in a terminal. `seen` has every state of the screen that was looked at, as its lines."""

    def __init__(self, *words: str, **environment: str) -> None:
        self.screen = pyte.Screen(WIDER, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        self.seen: list[list[str]] = []
        self.raw = b""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        self.process = subprocess.Popen(
            [sys.executable, "-c", _BEGIN, sys.executable, "-m", "cli.main", *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", **environment},
        )

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def until(self, text: str) -> None:
        """Wait until the screen shows `text`."""
        self._follow(lambda: any(text in line for line in self.lines()), text)

    def end(self) -> int:
        """Wait for the end of the command; its exit code."""
        self._follow(lambda: self.process.poll() is not None and not self._ready(0.05), "its end")
        return self.process.wait()

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display if line.strip()]

    @property
    def after(self) -> list[object]:
        return termios.tcgetattr(self._slave)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)
        os.close(self._slave)

    def _ready(self, seconds: float) -> bool:
        return bool(select.select([self._master], [], [], seconds)[0])

    def _follow(self, is_there, what: str) -> None:
        until = time.monotonic() + PATIENCE_S
        while not is_there():
            assert time.monotonic() < until, (what, self.lines())
            if self._ready(0.05):
                data = os.read(self._master, 1 << 16)
                self.raw += data
                self.stream.feed(data)
                self.seen.append(self.lines())
