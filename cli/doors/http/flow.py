"""Work for a client that may go: what it tells on the way, its end, and its end where nobody is there any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Generic, TypeVar

import anyio
from starlette.requests import Request

T = TypeVar("T")
R = TypeVar("R")


class Gone(Exception):  # noqa: N818 - it is no error of ours
    """The client waits no more."""


class Ended(Generic[R]):
    """What the work came to."""

    def __init__(self, result: R) -> None:
        self.result = result


_OVER = object()


async def flow(
    request: Request, work: Callable[[Callable[[T], None]], Awaitable[R]], *, rest: float | None = None
) -> AsyncIterator[T | Ended[R] | None]:
    """What `work` tells as it comes, then its end; None where it has told nothing for `rest` seconds.

    It is cancelled where the client goes, and raises `Gone` then; or where nobody iterates on.
    """
    queue: asyncio.Queue[Any] = asyncio.Queue()
    task: asyncio.Task[R] = asyncio.ensure_future(_run(work, queue.put_nowait))
    gone = asyncio.create_task(_disconnected(request))
    for one in (task, gone):
        one.add_done_callback(lambda _: queue.put_nowait(_OVER))
    try:
        while True:
            try:
                told = await asyncio.wait_for(queue.get(), rest)
            except TimeoutError:
                yield None
                continue
            if told is not _OVER:
                yield told
            elif task.done():
                break
            else:
                raise Gone
        yield Ended(task.result())
    finally:
        # Whoever cancels this must wait until what it has set going has heard of it.
        with anyio.CancelScope(shield=True):
            task.cancel()
            gone.cancel()
            await asyncio.gather(task, gone, return_exceptions=True)


async def whole(request: Request, work: Callable[[Callable[[Any], None]], Awaitable[R]]) -> R:
    """What `work` comes to, whatever it tells on the way."""
    async for told in flow(request, work):
        if isinstance(told, Ended):
            result: R = told.result
            return result
    raise Gone


async def _run(work: Callable[[Callable[[T], None]], Awaitable[R]], tell: Callable[[T], None]) -> R:
    return await work(tell)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
