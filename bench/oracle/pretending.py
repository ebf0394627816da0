"""Native attempts of children that may wait for an answer: what they would do with the word and with the descriptor.

Like `bench.oracle.attempts`, these are run with the gates off, in children of a real template, and nowhere else. Each story
says what it has reached, or nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from actors.guardian.jail.worker import Reply, Worker
from bench.oracle.attempts import WAITS

LIMIT_S: Final = 0.5
WALL_S: Final = 3.0
_WAIT: Final = "os.write(3, b'W\\0\\0\\0\\0')\n"
_FINE: Final = "say('fine')"
_LARGE: Final = b"x" * (6 << 20)

Below = Callable[[list[int]], list[int]]
Story = Callable[[Worker, str, Below], Awaitable[str]]


async def do(template: Worker, source: str) -> Reply:
    return await template.do(source.encode(), cpu=LIMIT_S, wall=WALL_S, may_wait=True)


async def wait(template: Worker, source: str) -> Reply:
    """A child that says at once that it waits, and then does this."""
    return await do(template, f"{WAITS}\n{_WAIT}{source}")


async def work_while_it_waits(template: Worker, _: str, below: Below) -> str:
    """It says that it waits, and computes on: without a worker, beyond every queue."""
    reply = await wait(template, "while True: pass")
    before = _spent(below([template.pid]))
    await asyncio.sleep(0.3)
    used = _spent(below([template.pid])) - before
    template.drop(reply.waits)
    return f"{used} ticks while it waited" if used > 2 or not reply.waits else ""


async def hear_what_others_are_answered(template: Worker, secret: str, _: Below) -> str:
    """It reads while another child is given its answer."""
    victim = await wait(template, "os.read(4, 64); say('heard')")
    spy = asyncio.create_task(do(template, "say(os.read(4, 64)); say(os.read(4, 64))"))
    await asyncio.sleep(0.2)
    await template.resume(victim.waits, secret.encode(), wall=WALL_S)
    said = (await spy).answer.decode(errors="replace")
    return said if secret in said else ""


async def hold_the_template(template: Worker, _: str, below: Below) -> str:  # noqa: ARG001 - the form of all stories
    """It never reads the answer that it is given, so that its template waits for it."""
    reply = await wait(template, "while True: pass")
    held = asyncio.create_task(template.resume(reply.waits, _LARGE, wall=WALL_S))
    await asyncio.sleep(0.05)
    began = time.monotonic()
    other = await do(template, _FINE)
    late = time.monotonic() - began
    ended = await held
    return "" if other.answer == b"fine" and late < LIMIT_S and ended.end == "LIMIT_TIME" else f"held for {late:.1f} s"


async def never_end(template: Worker, _: str, below: Below) -> str:  # noqa: ARG001
    """It waits again and again, and wants its time anew for each."""
    reply = await wait(template, "while True:\n    os.read(4, 1)\n    for _ in range(300000): pass\n    " + _WAIT)
    began = time.monotonic()
    while reply.waits and time.monotonic() - began < 10 * LIMIT_S:
        reply = await template.resume(reply.waits, b"", wall=WALL_S)
    await asyncio.sleep(0.1)
    return "" if reply.end == "LIMIT_TIME" else f"still there: {reply}"


async def stay_when_dropped(template: Worker, _: str, below: Below) -> str:
    """It is to be killed while it waits, with a handler and an `except` in its way."""
    before = set(below([template.pid]))
    reply = await wait(template, "try:\n    os.read(4, 1)\nexcept BaseException:\n    pass\nwhile True: pass")
    template.drop(reply.waits)
    await asyncio.sleep(0.2)
    left = set(below([template.pid])) - before
    # The one that is forked for whom comes next has taken the place of the one that was.
    return f"{len(left)} are left" if len(left) > 1 else ""


STORIES: Final[dict[str, Story]] = {
    "compute while it waits": work_while_it_waits,
    "hear what others are answered": hear_what_others_are_answered,
    "hold the template": hold_the_template,
    "wait for ever": never_end,
    "outlive its drop": stay_when_dropped,
}


def _spent(pids: list[int]) -> int:
    """Ticks of processor time that these have used."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total
