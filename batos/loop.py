"""The event loop that a program without one asks by: one thread for the whole process, begun with the first World."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import weakref
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, Final, Protocol, TypeVar

from protocol.errors import BatosError

T = TypeVar("T")

CLOSE_S: Final = 2.0
"""Seconds that the end of the process waits for connections to be let go."""


class Closing(Protocol):
    """What is let go at the end of the process."""

    async def close(self) -> None:
        """Let go."""


class Background:
    """A loop on a thread of its own. Any thread may have work done on it."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="batos", daemon=True)
        self._open: weakref.WeakSet[Any] = weakref.WeakSet()
        self._thread.start()
        atexit.register(self._end)

    def keep(self, closing: Closing) -> None:
        """Let go of it at the end of the process at the latest."""
        self._open.add(closing)

    def let_go(self, closing: Closing) -> None:
        """Let go of it now, without waiting: nobody has it any more."""
        if os.getpid() == self.pid and not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(closing.close(), self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` comes to. Ctrl-C ends the waiting: `work` is cancelled, and KeyboardInterrupt raised."""
        if os.getpid() != self.pid:
            work.close()
            raise BatosError(
                "BAD_ARGUMENT",
                "this World was made by the process that this one is a fork of, and the connection is that one's",
                "Make a World here: World().",
            )
        if threading.current_thread() is self._thread:
            work.close()
            raise BatosError(
                "BAD_ARGUMENT", "a World cannot be asked from within what listens to it", "Use AsyncWorld there."
            )
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except CancelledError:
            raise BatosError("NOT_RUNNING", "this World was closed") from None
        except BaseException:
            future.cancel()
            raise

    def _end(self) -> None:
        if os.getpid() != self.pid or not self._thread.is_alive():
            return

        async def let_go() -> None:
            await asyncio.gather(*(one.close() for one in list(self._open)), return_exceptions=True)

        asyncio.run_coroutine_threadsafe(let_go(), self._loop).add_done_callback(lambda _: self._stop())
        self._thread.join(CLOSE_S)
        if not self._thread.is_alive():
            self._loop.close()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)


_lock = threading.Lock()
_background: Background | None = None


def background() -> Background:
    """The loop of this process."""
    global _background  # noqa: PLW0603 - there is one for the whole process, and another one after a fork
    with _lock:
        if _background is None or _background.pid != os.getpid():
            _background = Background()
        return _background


def _after_fork() -> None:
    """A lock that another thread held at the fork would never be let go."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
