"""The doors beside the bus: what a door costs, and what becomes of a hundred clients at once.

    python -m bench.doors [--clients N] [--seconds S] [--json]

A throw-away home with all processes and the embedded model. An understood `send` by the bus client's own, by the
Python client, and by the MCP door over a process of its own, in turns; the first word of a completion by `infer` on the bus, and by `/v1` over a socket, in turns; medians.
Then N clients at once, for S seconds, on each door: each has an object of its own and asks for numbers that only it can be told, so
that an answer that went astray is seen. One that was told that the system is busy has its answer; one that was told nothing is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import openai
from mcp.client.client import Client as Agent
from mcp.client.stdio import StdioServerParameters

from batos import AsyncWorld, World
from bench.claims import Claim, processor, report
from bus.client import Client
from cli import lifecycle
from cli.doors.http.app import Door
from cli.doors.http.running import answering, bound
from cli.doors.tokens import new
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Define, Infer, Mandate, New, Piece, Row, Sampling, Turn

ROOT: Final = Path(__file__).parents[2]
TURNS: Final = 60
IMPORTS: Final = 9
WORDS: Final = 12
SOURCE: Final = "def echo_(self, number):\n    return [self.own, number]\n"
SEND_RATIO: Final = 1.15
SEND_MS: Final = 3.0
IMPORT_S: Final = 0.15
WORD_MS: Final = 5.0
PROCESSES: Final = 8
"""Doors for agents are processes; so many of them share the clients, each with as many calls at once as its share."""


class Crowd(NamedTuple):
    """What became of many clients: answers that were right, answers of somebody else, told to wait, and told nothing."""

    right: int
    crossed: int
    busy: int
    lost: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.doors")
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    claims = asyncio.run(measured(asked.clients, asked.seconds))
    report("doors", claims, device=processor(), as_json=asked.json)
    return 0


async def measured(clients: int, seconds: float) -> list[Claim]:
    with tempfile.TemporaryDirectory(prefix="batos-bench-", dir="/tmp") as folder:
        home = Home(Path(folder) / "home").prepare()
        await lifecycle.up(home, lambda _: None)
        try:
            async with Client(home.bus, "bench", patience=30.0) as bus, v1(home) as program:
                await objects(bus, clients)
                return [
                    imported(),
                    *await sends(home, bus),
                    *await first_words(bus, program),
                    crowded("python", clients, await worlds(home, clients, seconds)),
                    crowded("mcp", clients, await agents(home, clients, seconds)),
                    crowded("v1", clients, await programs(program, clients, seconds)),
                ]
        finally:
            await lifecycle.down(home, lambda _: None)


async def objects(bus: Client, clients: int) -> None:
    """An object for each client, and one method that all of them understand."""
    await bus.call(verbs.NEW, New(name="bench_traits"), seconds=60)
    await bus.call(verbs.DEFINE, Define(name="bench_traits", source=SOURCE), seconds=60)
    for number in range(clients):
        wanted = New(name=f"own{number}", parent="bench_traits", slots={"own": number})
        await bus.call(verbs.NEW, wanted, seconds=60)


@asynccontextmanager
async def v1(home: Home) -> AsyncIterator[openai.AsyncOpenAI]:
    """The door for programs in this process, and a client of it over its socket."""
    made = await new(home, "bench", ["ask", "send"], None, None)
    told, stop = asyncio.get_running_loop().create_future(), asyncio.Event()
    running = asyncio.create_task(answering(Door(home), bound("127.0.0.1", 0), "127.0.0.1", stop, told.set_result))
    try:
        async with openai.AsyncOpenAI(base_url=await told, api_key=made.token, max_retries=0, timeout=600) as client:
            yield client
    finally:
        stop.set()
        await running


@asynccontextmanager
async def agent(home: Home, name: str) -> AsyncIterator[Agent]:
    """The door for agents in a process of its own, and a client of it."""
    door = StdioServerParameters(
        command=sys.executable,
        args=["-m", "cli.main", "--home", str(home.root), "mcp", "--name", name],
        env=dict(os.environ),
        cwd=ROOT,
    )
    async with Agent(door) as client:
        yield client


async def sends(home: Home, bus: Client) -> list[Claim]:
    """An understood message by the bus and by Python, and by the bus and by MCP, in turns."""

    async def by_bus(number: int) -> None:
        reply = await bus.call(
            verbs.MANDATE,
            Mandate(target="own0", selector="echo_", args=[number]),
            seconds=60,
            idem=secrets.token_hex(8),
        )
        assert reply.result == [0, number]

    with World(home.root) as world:
        own = world["own0"]

        async def by_python(number: int) -> None:
            assert await asyncio.to_thread(own.echo_, number) == [0, number]

        python, beside = await in_turns(by_python, by_bus, TURNS)

    async with agent(home, "bench") as client:

        async def by_mcp(number: int) -> None:
            found = await client.call_tool("send", {"name": "own0", "selector": "echo_", "args": [number]})
            assert found.structured_content["result"] == [0, number]

        ours, theirs = await in_turns(by_mcp, by_bus, TURNS)
    target = f"at most +{SEND_MS:g} ms"
    return [
        Claim(
            "send by python",
            python,
            {"bus": beside},
            "ms",
            f"at most {SEND_RATIO:g} times the bus",
            python <= beside * SEND_RATIO,
        ),
        Claim("send by mcp", ours, {"bus": theirs}, "ms", target, ours <= theirs + SEND_MS),
    ]


async def first_words(bus: Client, program: openai.AsyncOpenAI) -> list[Claim]:
    """The first word of the base model by `infer` on the bus and by `/v1`, in turns."""
    base = [model.id async for model in await program.models.list()][-1]
    asked = "Say hello to number {}."

    async def by_bus(number: int) -> None:
        row = Row(
            turns=[Turn(role="user", content=asked.format(number))], sampling=Sampling(temperature=0), max_tokens=2
        )
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def note(_piece: Piece) -> None:
            if not begun.done():
                begun.set_result(None)

        whole = asyncio.create_task(bus.call(verbs.INFER, Infer(rows=[row], stream=True), seconds=60, on_partial=note))
        await begun
        rest.append(whole)

    async def by_http(number: int) -> None:
        stream = await program.chat.completions.create(
            model=base,
            messages=[{"role": "user", "content": asked.format(number)}],
            temperature=0,
            max_tokens=2,
            stream=True,
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                break
        rest.append(asyncio.ensure_future(drained(stream)))

    rest: list[asyncio.Future[Any]] = []
    ours, theirs = await in_turns(by_http, by_bus, WORDS, lambda: settled(rest))
    target = f"at most +{WORD_MS:g} ms"
    return [Claim("first word by v1", ours, {"infer": theirs}, "ms", target, ours <= theirs + WORD_MS)]


async def drained(stream: Any) -> None:
    async for _ in stream:
        pass


async def settled(rest: list[asyncio.Future[Any]]) -> None:
    await asyncio.gather(*rest)
    rest.clear()


async def in_turns(
    one: Callable[[int], Awaitable[None]],
    other: Callable[[int], Awaitable[None]],
    turns: int,
    between: Callable[[], Awaitable[None]] | None = None,
) -> tuple[float, float]:
    """The medians of both, in milliseconds; the first turns warm up and do not count. No two have the same number."""
    spent: tuple[list[float], list[float]] = ([], [])
    for turn in range(turns + 3):
        for which, work in enumerate((one, other) if turn % 2 else (other, one)):
            is_other = (which == 0) != bool(turn % 2)
            began = time.perf_counter()
            await work(turn * 2 + is_other)
            if turn >= 3:
                spent[is_other].append(1000 * (time.perf_counter() - began))
            if between is not None:
                await between()
    return round(statistics.median(spent[0]), 2), round(statistics.median(spent[1]), 2)


def imported() -> Claim:
    """How long `from batos import World` takes in a process of its own, the median of several, without the interpreter's start."""
    code = "import time; began = time.perf_counter(); from batos import World; print(time.perf_counter() - began)"
    spent = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout)
        for _ in range(IMPORTS)
    ]
    took = round(statistics.median(spent), 3)
    return Claim("import of the client", took, {}, "s", f"at most {IMPORT_S:g} s", took <= IMPORT_S)


async def worlds(home: Home, clients: int, seconds: float) -> Crowd:
    """Clients in Python, each with a connection and an object of its own."""
    async with AsyncExitStack() as stack:
        own = []
        for number in range(clients):
            world = await stack.enter_async_context(AsyncWorld(home.root))
            own.append(await world.get(f"own{number}"))

        async def asks(client: int, number: int) -> bool | None:
            try:
                return bool(await own[client].echo_(number) == [client, number])
            except BatosError as error:
                if error.code != "BUSY":
                    raise
                return None

        return await crowd(clients, seconds, asks)


async def agents(home: Home, clients: int, seconds: float) -> Crowd:
    """Clients that send messages through the MCP door, each to its own object."""
    async with AsyncExitStack() as stack:
        doors = [await stack.enter_async_context(agent(home, f"crowd {n}")) for n in range(min(PROCESSES, clients))]

        async def asks(client: int, number: int) -> bool | None:
            given = {"name": f"own{client}", "selector": "echo_", "args": [number]}
            found = await doors[client % len(doors)].call_tool("send", given)
            if found.is_error:
                return None if found.structured_content["error"]["code"] == "BUSY" else is_lost(found)
            return bool(found.structured_content["result"] == [client, number])

        return await crowd(clients, seconds, asks)


async def programs(program: openai.AsyncOpenAI, clients: int, seconds: float) -> Crowd:
    """Clients that have texts made vectors by `/v1`; each text has a vector of its own."""
    texts = [f"text number {number} of the crowd" for number in range(clients)]
    known = [(await vectors(program, [text]))[0] for text in texts]

    async def asks(client: int, _number: int) -> bool | None:
        try:
            (found,) = await vectors(program, [texts[client]])
        except openai.RateLimitError:
            return None
        near = [sum(a * b for a, b in zip(found, each, strict=True)) for each in known]
        return near.index(max(near)) == client

    return await crowd(clients, seconds, asks)


async def vectors(program: openai.AsyncOpenAI, texts: list[str]) -> list[list[float]]:
    made = await program.embeddings.create(model="batos", input=texts)
    return [row.embedding for row in made.data]


async def crowd(clients: int, seconds: float, asks: Callable[[int, int], Awaitable[bool | None]]) -> Crowd:
    """Each client asks again as soon as it has its answer; `asks` says whether it was right, None where it was told to wait."""
    until = time.monotonic() + seconds
    counts = dict.fromkeys((True, False, None, "lost"), 0)

    async def goes_on(client: int) -> None:
        number = 0
        while time.monotonic() < until:
            number += 1
            try:
                found: bool | str | None = await asyncio.wait_for(asks(client, number), 120)
            except (BatosError, openai.APIError, TimeoutError, LookupError) as error:
                print(f"client {client}: {type(error).__name__}: {error}", file=sys.stderr)
                found = "lost"
            counts[found] += 1
            if found is None:
                await asyncio.sleep(0.1)

    await asyncio.gather(*(goes_on(client) for client in range(clients)))
    return Crowd(counts[True], counts[False], counts[None], counts["lost"])


def is_lost(found: Any) -> bool:
    raise LookupError(found.content[0].text)


def crowded(door: str, clients: int, found: Crowd) -> Claim:
    """Lost and crossed together must be none."""
    peers = {"crossed": float(found.crossed), "told busy": float(found.busy), "right": float(found.right)}
    return Claim(
        f"{clients} clients on {door}",
        float(found.lost),
        peers,
        "lost",
        "0 lost, 0 crossed",
        not (found.lost or found.crossed),
    )


if __name__ == "__main__":
    sys.exit(main())
