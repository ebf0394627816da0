"""What happens on the way to an answer, as an iterator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

from protocol.errors import BatosError
from protocol.messages import Event

T = TypeVar("T")


class AsyncStream(Generic[T]):
    """The events of one mandate, then its answer: `async for event in stream`, then `await stream.reply()`.

    Whoever stops listening (`close`) leaves the mandate to go on.
    """

    def __init__(self, work: Callable[[Callable[[Event], None]], Awaitable[T]]) -> None:
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._task = asyncio.ensure_future(work(self._events.put_nowait))
        self._task.add_done_callback(lambda _: self._events.put_nowait(None))
        self._is_over = False
        self._is_closed = False

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        event = None if self._is_over else await self._events.get()
        if event is None:
            self._is_over = True
            raise StopAsyncIteration
        return event

    async def reply(self) -> T:
        """The answer; raises what ended it badly."""
        if self._is_closed:
            raise BatosError(
                "BAD_ARGUMENT", "this stream was closed before its answer was there", "Ask again with the same key."
            )
        return await asyncio.shield(self._task)

    async def close(self) -> None:
        """Listen no more; the mandate goes on."""
        self._is_closed = not self._task.done()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
