"""Which rows of a wave are one request, and which requests wait for each other.

A server that keeps the prompt that it read last in each of its slots reads it anew in every slot that is asked at the same
moment. It reads it once where several texts are asked for in one request, and where the next request comes after it. So rows
that differ in nothing but their seed are one request there, and requests with the same prompt go one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from actors.inference.remote.remote_text import Job


class Request(NamedTuple):
    """Rows of a wave that are asked for together. All have the first one's job, whose seed is the request's."""

    rows: tuple[int, ...]
    job: Job

    @property
    def body(self) -> dict[str, Any]:
        return {**self.job.body, "n": len(self.rows)} if len(self.rows) > 1 else self.job.body


class Room:
    """So many texts are made at once; who comes first waits until there is room for all of its own."""

    def __init__(self, texts: int) -> None:
        self._free = asyncio.Semaphore(texts)
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def of(self, texts: int) -> AsyncIterator[None]:
        taken = 0
        try:
            async with self._turn:
                while taken < texts:
                    await self._free.acquire()
                    taken += 1
            yield
        finally:
            for _ in range(taken):
                self._free.release()


def lanes(jobs: Mapping[int, Job], texts: int) -> list[list[Request]]:
    """The rows as lanes of requests, which follow each other within a lane; `texts`: so many may be asked for in one request.

    Where that is one, each row is a lane of its own. Otherwise a lane has one prompt, and begins with what is drawn greedily.
    """
    if texts == 1:
        return [[Request((row,), job)] for row, job in jobs.items()]
    alike: dict[str, list[int]] = {}
    for row, job in jobs.items():
        alike.setdefault(repr(job._replace(body={**job.body, "seed": 0})), []).append(row)
    made: dict[str, list[Request]] = {}
    for rows in sorted(alike.values(), key=lambda rows: jobs[rows[0]].body["temperature"] > 0):
        job = jobs[rows[0]]
        words = repr([job.body.get(part) for part in ("prompt", "messages", "model", "lora")])
        parts = [tuple(rows[place : place + texts]) for place in range(0, len(rows), texts)]
        made.setdefault(words, []).extend(Request(part, jobs[part[0]]) for part in parts)
    return list(made.values())
