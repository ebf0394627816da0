"""The commands: each reads its words, has the work done elsewhere, and renders what comes back.

Every command takes `--json` and `--home`, before or after its own words. Imports stand in the commands: what one of
them needs costs the others nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import click

from cli.console import Invocation
from protocol.errors import BatosError
from protocol.home import Home, find_home

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def _set_json(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Invocation).json = True


def _set_home(ctx: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value:
        ctx.ensure_object(Invocation).home = value


def everywhere(function: F) -> F:
    """The two options that stand on every command."""
    function = click.option(
        "--home",
        metavar="DIR",
        callback=_set_home,
        expose_value=False,
        help="The folder of the world (else $BATOS_HOME, else batos in the XDG data folder).",
    )(function)
    return click.option(
        "--json",
        is_flag=True,
        callback=_set_json,
        expose_value=False,
        help="Print JSON, one object a line; the last is the result.",
    )(function)


def home_of(invocation: Invocation) -> Home:
    from cli import wire

    wire.quiet()
    return find_home(invocation.home)


def finish(work: Coroutine[Any, Any, T]) -> T:
    """What `work` comes to; INTERRUPTED where a signal cancels it."""
    import asyncio

    try:
        return asyncio.run(work)
    except asyncio.CancelledError as error:
        raise BatosError("INTERRUPTED", "terminated") from error


class Words(click.Command):
    """A command whose arguments may be negative numbers; a word that begins like an option must be one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ignore_unknown_options = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        for words in ctx.params.values():
            for word in words if isinstance(words, tuple) else (words,):
                # What follows a bare `--` is refused as well: no JSON begins with two dashes.
                if isinstance(word, str) and word.startswith("--"):
                    raise click.NoSuchOption(word.partition("=")[0], ctx=ctx)
        return rest


@click.group(
    context_settings={"help_option_names": ["--help"], "max_content_width": 120},
    epilog='Completion for your shell: eval "$(_BATOS_COMPLETE=bash_source batos)" (or zsh_source, fish_source).',
)
@click.version_option(package_name="batos")
@everywhere
def batos() -> None:
    """A world of persistent objects that write their own missing methods, each behind a deterministic gate."""


@batos.command()
@everywhere
@click.pass_obj
def up(invocation: Invocation) -> None:
    """Start the system; returns when every actor is ready."""
    from cli import lifecycle, render

    found = finish(lifecycle.up(home_of(invocation), invocation.progress))
    invocation.result(found, render.started(found))


@batos.command()
@everywhere
@click.pass_obj
def down(invocation: Invocation) -> None:
    """Stop the system; leaves no process."""
    from cli import lifecycle, render

    found = finish(lifecycle.down(home_of(invocation), invocation.progress))
    invocation.result(found, render.stopped(found))


@batos.command()
@everywhere
@click.pass_obj
def status(invocation: Invocation) -> int:
    """Say how each actor is. Exit code 0: all are ready; 3: not."""
    from cli import lifecycle, render

    found = finish(lifecycle.status(home_of(invocation)))
    invocation.result(found, render.status(found))
    return 0 if found["ready"] else 3


@batos.command()
@everywhere
@click.pass_obj
def demo(invocation: Invocation) -> int:
    """Show the main job in a throw-away world, in about a minute."""
    from cli import demo as story
    from cli import render

    found = finish(story.run(invocation))
    invocation.result(found, render.demo(found))
    return 0 if found["ok"] else 1


@batos.command()
@everywhere
@click.argument("name")
@click.argument("slots", nargs=-1, metavar="[slot=JSON]…")
@click.option("--parent", metavar="P", help="The object to delegate to (default: traits_obj).")
@click.pass_obj
def new(invocation: Invocation, name: str, slots: tuple[str, ...], parent: str | None) -> None:
    """Make an object NAME with these slots, such as width=5 title='"a text"'."""
    from cli import objects, render

    made = finish(objects.create(home_of(invocation), name, slots, parent))
    invocation.result(made, render.created(made))


@batos.command(cls=Words)
@everywhere
@click.argument("name")
@click.argument("selector")
@click.argument("args", nargs=-1, metavar="[JSON]…")
@click.option("--kw", "kwargs", multiple=True, metavar="name=JSON", help="An argument by name. May be repeated.")
@click.option("--example", "cases", multiple=True, metavar="JSON", help="What the message must do. May be repeated.")
@click.option("--detach", is_flag=True, help="Return as soon as the mandate is durable.")
@click.option("--key", metavar="K", help="The idempotency key: the same key never runs twice.")
@click.option("--timeout", type=float, default=240.0, show_default=True, metavar="S", help="Seconds to wait.")
@click.pass_obj
def send(
    invocation: Invocation,
    *,
    name: str,
    selector: str,
    args: tuple[str, ...],
    kwargs: tuple[str, ...],
    cases: tuple[str, ...],
    detach: bool,
    key: str | None,
    timeout: float,
) -> None:
    """Send the message SELECTOR to the object NAME; where nothing understands it, a method is written first.

    SELECTOR may name its parameters: 'increment_(by)'. An example is
    '{"slots":{"width":3,"height":4},"args":[],"returns":12}', with "slots_after" for what must change.
    """
    from cli import mandate, render, sending

    wanted = mandate.read_mandate(name, selector, args, kwargs, cases, detach=detach)
    on_its_way = sending.Sending(home_of(invocation), wanted, key, timeout)
    try:
        reply = finish(on_its_way.run(lambda event: invocation.event(event, render.event(event))))
    except KeyboardInterrupt as error:
        raise on_its_way.abandoned("INTERRUPTED", "interrupted") from error
    if not invocation.json:
        invocation.progress(render.sent(reply))
    invocation.result(reply, render.answer(reply))


@batos.command()
@everywhere
@click.argument("target", default="root", metavar="[NAME|OID]")
@click.option("--at", metavar="TID", help="As it was at this transaction.")
@click.pass_obj
def look(invocation: Invocation, target: str, at: str | None) -> None:
    """Show an object: slots, parents, methods with author and verdict. (Without a name: the root.)"""
    from cli import objects, render

    seen = finish(objects.look(home_of(invocation), target, at))
    invocation.result(seen, render.looked(seen))


@batos.command()
@everywhere
@click.argument("name")
@click.argument("selector")
@click.pass_obj
def source(invocation: Invocation, name: str, selector: str) -> None:
    """Print the method that NAME answers SELECTOR with."""
    from cli import objects, render

    found = finish(objects.source(home_of(invocation), name, selector))
    invocation.result(found, render.source(found, terminal=sys.stdout.isatty()))


@batos.group()
@everywhere
def cycle() -> None:
    """The cycles: what was thought, step by step."""


@cycle.command("ls")
@everywhere
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="The newest so many.")
@click.pass_obj
def cycle_ls(invocation: Invocation, limit: int) -> None:
    """List the cycles, newest first."""
    from cli import objects, render

    found = finish(objects.cycles(home_of(invocation), limit))
    invocation.result({"cycles": found}, render.cycles(found))


@cycle.command("show")
@everywhere
@click.argument("id")
@click.pass_obj
def cycle_show(invocation: Invocation, id: str) -> None:  # noqa: A002  # the word that the help shows
    """Show one cycle by its id, or by that of its mandate."""
    from cli import objects, render

    story = finish(objects.story(home_of(invocation), id))
    invocation.result(story, render.story(story))


@batos.command()
@everywhere
@click.argument("file", required=False, metavar="FILE|-")
@click.option(
    "--jsonl", metavar="FILE|-", help="Many sources: a line each, {id, code}, for --trial slots and examples."
)
@click.option("--gate", type=click.Choice(["covenant", "policy", "all"]), default="all", show_default=True)
@click.option("--trial", is_flag=True, help="Also run each source in the jail on its slots and examples.")
@click.pass_obj
def guard(invocation: Invocation, file: str | None, jsonl: str | None, gate: str, trial: bool) -> int:
    """Judge source by the guardian's gates; needs nothing running. Exit code 4 when any is rejected."""
    from cli import guard as gatehouse

    if (file is None) == (jsonl is None):
        raise click.UsageError("give one source, or --jsonl with many", ctx=click.get_current_context())
    where = ["--jsonl", jsonl] if jsonl is not None else [file or "-"]
    return gatehouse.run(invocation, [*where, "--gate", gate, *(["--trial"] if trial else [])])
