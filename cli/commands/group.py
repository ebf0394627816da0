"""The command `batos` itself, and what all of its commands share.

Every command takes `--json` and `--home`, before or after its own words.
"""

from __future__ import annotations

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
