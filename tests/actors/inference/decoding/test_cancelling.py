"""Texts that nobody wants any more: counted in steps of the model."""

from __future__ import annotations

import asyncio
import threading

import pytest

from actors.inference.actor import Inference
from bus.stub import StubBus
from protocol import verbs
from protocol.errors import BatosError
from protocol.messages import Infer, Row, Sampling

ROW = Row(prompt="b", max_tokens=100, grammar="start: /[ab]{90}/", sampling=Sampling(temperature=2))
"""A long text: its form allows no end before 90 letters."""


class Steps:
    """Counts the model's passes, and holds the one that is number `last` until `go_on` is called."""

    def __init__(self, engine, last):
        self.count = 0
        self.reached = asyncio.Event()
        self._loop, self._last, self._gate = asyncio.get_running_loop(), last, threading.Event()
        engine.generator.model.register_forward_pre_hook(self._step)

    def go_on(self):
        self._gate.set()

    def _step(self, *_):
        self.count += 1
        if self.count == self._last:
            self._loop.call_soon_threadsafe(self.reached.set)
            assert self._gate.wait(30)


@pytest.fixture
async def ready(home):
    inference = Inference(home)
    await inference.begin()
    bus = StubBus({("inference", verb): handler for verb, handler in inference.handlers().items()})
    yield inference, bus, Steps(inference._engine, 5)
    await inference.close()


def asking(bus, *rows):
    return asyncio.create_task(bus.call(verbs.INFER, Infer(rows=list(rows)), seconds=60))


async def cancel(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_after_a_cancel_no_further_step_begins(ready):
    _, bus, steps = ready
    waiting = asking(bus, ROW, ROW)
    await steps.reached.wait()
    await cancel(waiting)
    steps.go_on()
    await bus.join()
    assert steps.count == 5


async def test_what_waits_behind_another_batch_is_never_begun(ready):
    _, bus, steps = ready
    first, second = asking(bus, ROW), asking(bus, ROW)
    await steps.reached.wait()
    await cancel(second)
    steps.go_on()
    assert (await first).rows[0].tokens == 90
    alone = steps.count
    await bus.join()
    assert steps.count == alone
    await asking(bus, ROW)
    assert steps.count > alone


async def test_texts_that_nobody_waits_for_are_not_begun(ready):
    inference, bus, steps = ready

    async def gone(request, call):
        call.cancelled.set()
        return await inference.infer(request, call)

    bus.handlers["inference", "infer"] = gone
    with pytest.raises(BatosError) as caught:
        await asking(bus, ROW)
    assert (caught.value.code, steps.count) == ("CANCELLED", 0)
