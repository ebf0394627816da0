"""Whether a mandate is still wanted and in time, and how what it waits for is given up when it is not.

A cancelled mandate stops where it waits, never where it writes: a commit under way ends as it ends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from protocol.errors import BatosError

T = TypeVar("T")


class Deadline:
    """A mandate's time: seconds from now on the monotonic clock; a change of the wall clock has no effect on it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds; negative when it is over."""
        return self._until - time.monotonic()


def late(deadline: Deadline, before: str) -> BatosError:
    """The mandate's time was over before something had happened."""
    return BatosError(
        "TIMEOUT",
        f"the mandate's {deadline.seconds:g} s were over before {before}",
        "Give the message more time (--timeout), or see `batos status` for what is slow.",
    )


class Cancellation:
    """One running mandate's; to be made in its event loop."""

    def __init__(self, mandate: str) -> None:
        self._mandate = mandate
        self._called: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def call(self) -> None:
        """From now on nobody wants it."""
        if not self._called.done():
            self._called.set_result(None)

    def check(self) -> None:
        """CANCELLED where nobody wants it any more."""
        if self._called.done():
            raise BatosError(
                "CANCELLED", f"mandate {self._mandate} was cancelled", "Send it under a new key, if it is wanted."
            )

    async def unless(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` comes to, or CANCELLED; then `work` is cancelled first, and has heard of it."""
        task = asyncio.ensure_future(work)
        either: list[asyncio.Future[Any]] = [task, self._called]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task])
        if task.cancelled():
            self.check()
        return task.result()
