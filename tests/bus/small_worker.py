"""A worker process for tests: `small_worker.py ENDPOINT`; its `infer` hangs, blocks or streams as the seed says."""

from __future__ import annotations

import asyncio
import os
import sys
import time

from bus.service import serve, stop_on_signals
from protocol.messages import ActorStatus, Inferred


async def main(endpoint: str) -> None:
    async def status(_request, _call):
        return ActorStatus(ready=True, pid=os.getpid(), uptime_s=0.0)

    async def infer(request, call):
        if request.rows[0].prompt == "block":
            time.sleep(3.5)  # noqa: ASYNC251 - a handler that keeps the loop to itself is what is tested
        else:
            await call.cancelled.wait()
        return Inferred(rows=[], prompt_tokens=os.getpid(), seconds=0.0)

    await serve(endpoint, "inference", {"status": status, "infer": infer}, stop=stop_on_signals())


asyncio.run(main(sys.argv[1]))
