"""What a shell completes a word to: names, selectors, ids, as the system that runs knows them at this moment.

Whoever presses TAB waits for it, so it is asked for shortly, and where nothing runs, or something is wrong, there is nothing to
choose from and nothing is said. What needs no asking (commands, options, choices) click knows by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

from cli.console import Invocation

if TYPE_CHECKING:
    from bus.client import Client

ASK_S: Final = 0.7
"""Seconds that all questions for one TAB may take together."""
MOST: Final = 200
PARENTS: Final = 6
"""Objects whose methods are looked at: the one that is named, and those that it delegates to first."""
HASH: Final = 12
HELP: Final = 60

Found = Iterable[tuple[str, str]]
"""Words, and what each of them is."""


def names(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of objects, the user's and the system's."""
    return _listed(ctx, "names", incomplete, lambda item: (item["name"], item["kind"]))


def documents(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What is remembered."""
    return _listed(ctx, "documents", incomplete, lambda item: (item["doc_id"], f"{item['chunks']} passages"))


def experts(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The experts of the world."""
    return _listed(ctx, "experts", incomplete, lambda item: (item["name"], str(item["sha256"] or "")[:HASH]))


def references(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`@NAME`, alone or as the value of `slot=`."""
    before, at, name = incomplete.rpartition("@")
    if not at:
        # To bash an @ ends a word.
        given = ctx.params.get(parameter.name or "")
        is_named = isinstance(given, tuple) and bool(given) and str(given[-1]).endswith("@")
        return names(ctx, parameter, incomplete) if is_named else []
    return [CompletionItem(f"{before}@{item.value}", help=item.help) for item in names(ctx, parameter, name)]


def selectors(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What the object that was named before understands."""
    return _asked(ctx, incomplete, lambda bus: _entries(bus, _target(ctx), with_slots=False, inherited=True))


def entries(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The own methods and slots of the object that was named before."""
    return _asked(ctx, incomplete, lambda bus: _entries(bus, _target(ctx), with_slots=True, inherited=False))


def cycles(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The newest cycles, each with what it is for."""

    async def ask(bus: Client) -> Found:
        from protocol import verbs  # noqa: PLC0415
        from protocol.messages import Cycles  # noqa: PLC0415

        found = await bus.call(verbs.CYCLES, Cycles(limit=MOST), seconds=ASK_S)
        return [
            (one.cycle, f"{one.state} {one.question or f'{one.name or one.target} {one.selector}'}")
            for one in found.cycles
        ]

    return _asked(ctx, incomplete, ask)


def proposals(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What waits for the user's word, the oldest first, each with the method that it would be."""

    async def ask(bus: Client) -> Found:
        from protocol import verbs  # noqa: PLC0415
        from protocol.messages import Proposals  # noqa: PLC0415

        found = await bus.call(verbs.PROPOSALS, Proposals(limit=MOST), seconds=ASK_S)
        return [(one.id, f"{one.name} {one.selector}") for one in found.proposals]

    return _asked(ctx, incomplete, ask)


def tokens(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the tokens that hold, each with its rights."""

    async def ask(bus: Client) -> Found:
        from protocol import verbs  # noqa: PLC0415
        from protocol.messages import Tokens  # noqa: PLC0415

        found = await bus.call(verbs.TOKENS, Tokens(), seconds=ASK_S)
        return [(one.name, ", ".join(one.rights)) for one in found.tokens]

    return _asked(ctx, incomplete, ask)


def versions(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The hashes of the versions of a method that was named before."""

    async def ask(bus: Client) -> Found:
        from protocol import verbs  # noqa: PLC0415
        from protocol.messages import History  # noqa: PLC0415

        wanted = History(name=_target(ctx), selector=ctx.params.get("selector"), limit=MOST)
        found = await bus.call(verbs.HISTORY, wanted, seconds=ASK_S)
        return [(str(one.sha256)[:HASH], f"{one.author} {one.why}") for one in found.versions if one.sha256]

    return _asked(ctx, incomplete, ask)


def files(_ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files, which the shell knows itself."""
    return [CompletionItem(incomplete, type="file")]


def _listed(
    ctx: click.Context, kind: str, incomplete: str, told: Callable[[dict[str, Any]], tuple[Any, Any]]
) -> list[CompletionItem]:
    # A page begins after the word that it is asked for, and the word itself is one of those that begin so.
    before = f"{incomplete[:-1]}{chr(ord(incomplete[-1]) - 1)}\U0010ffff" if incomplete else None

    async def ask(bus: Client) -> Found:
        from protocol import verbs  # noqa: PLC0415 - a word that is completed otherwise need not wait for it
        from protocol.messages import List  # noqa: PLC0415

        found = await bus.call(verbs.LIST, List(kind=kind, after=before, limit=MOST), seconds=ASK_S)
        return [told(item) for item in found.items]

    return _asked(ctx, incomplete, ask)


async def _entries(bus: Client, target: str, *, with_slots: bool, inherited: bool) -> Found:
    from protocol import verbs  # noqa: PLC0415
    from protocol.messages import Look  # noqa: PLC0415

    found: dict[str, str] = {}
    waiting, seen = [target], 0
    while waiting and seen < PARENTS:
        looked = await bus.call(verbs.LOOK, Look(target=waiting.pop(0), limit=MOST), seconds=ASK_S)
        seen += 1
        for selector, method in looked.methods.items():
            found.setdefault(selector, method.intent.split("\n")[0])
        if with_slots:
            found.update(dict.fromkeys(looked.slots, "slot"))
        waiting += [parent.oid for parent in looked.parents] if inherited else []
    return [(word, told) for word, told in found.items() if not word.startswith("_")]


def _target(ctx: click.Context) -> str:
    return str(ctx.params.get("name") or "")


def _asked(ctx: click.Context, incomplete: str, ask: Callable[[Client], Awaitable[Found]]) -> list[CompletionItem]:
    """What is found and begins like the word so far; nothing where nobody answers in time."""
    found: list[Any] = []
    with suppress(Exception):
        found = list(_run(ctx, ask))
    return [
        CompletionItem(word, help=" ".join(told.split())[:HELP] or None)
        for word, told in found
        if word.startswith(incomplete)
    ]


def _run(ctx: click.Context, ask: Callable[[Client], Awaitable[Found]]) -> Found:
    import asyncio  # noqa: PLC0415
    import logging  # noqa: PLC0415

    from cli import wire  # noqa: PLC0415
    from protocol.home import find_home  # noqa: PLC0415

    logging.getLogger("bus").setLevel(logging.CRITICAL)
    home = find_home(ctx.ensure_object(Invocation).home)

    async def asking() -> Found:
        async with wire.client(home) as bus:
            return await ask(bus)

    return asyncio.run(asyncio.wait_for(asking(), ASK_S))
