"""Credit over real sockets: who waits holds up nobody who asks for something else."""

from __future__ import annotations

import asyncio

import pytest

from bus.client import Client
from bus.service import Call, Handler, serve
from protocol import verbs
from protocol.home import Home
from protocol.messages import Cancel, Cancelled, Cycles, CyclesReply, Mandate, MandateReply


@pytest.mark.usefixtures("broker")
async def test_seventy_that_wait_leave_the_way_free_for_who_asks_how_it_stands(home: Home) -> None:
    go_on = asyncio.Event()

    async def mandate(_request: Mandate, _call: Call) -> MandateReply:
        await go_on.wait()
        return MandateReply(mandate="m", state="COMPLETE")

    async def cycles(_request: Cycles, _call: Call) -> CyclesReply:
        return CyclesReply()

    async def cancel(request: Cancel, _call: Call) -> Cancelled:
        go_on.set()
        return Cancelled(mandate=request.id, cycle=None, state="FAILED", cancelled=True)

    stop = asyncio.Event()
    handlers: dict[str, Handler] = {"mandate": mandate, "cycles": cycles, "cancel": cancel}
    service = asyncio.create_task(serve(home.bus, "orchestrator", handlers, stop=stop))
    wanted = Mandate(target="box", selector="area_")
    async with Client(home.bus, "test") as client:
        waiting = [asyncio.create_task(client.call(verbs.MANDATE, wanted, seconds=60)) for _ in range(70)]
        assert await client.call(verbs.CYCLES, Cycles(), seconds=30) == CyclesReply()
        assert not any(task.done() for task in waiting)
        assert (await client.call(verbs.CANCEL, Cancel(id="m"), seconds=30)).cancelled
        assert len(await asyncio.gather(*waiting)) == 70
    stop.set()
    await service
