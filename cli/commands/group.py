"""The command `batos` itself, and what all of its commands share.

Every command takes `--json`, `--events` and `--home`, before or after its own words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import click

from cli.console import Invocation
from protocol.errors import BatosError
from protocol.home import Home, find_home

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


INTENT: Final = "What the method is for, in a sentence; used where it must be written."
TIMEOUT: Final = "Seconds that it may take, and the only bound of its time. (Default: by the model's speed.)"


def _set_json(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Invocation).json = True


def _set_events(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Invocation).events = True


def _set_home(ctx: click.Context, option: click.Parameter, value: str | None) -> None:
    if value:
        invocation = ctx.ensure_object(Invocation)
        if invocation.home is not None:  # before the command's word and after it
            raise _given_twice(ctx, option)
        invocation.home = value


def everywhere(function: F) -> F:
    """The options that stand on every command."""
    function = click.option(
        "--events",
        is_flag=True,
        callback=_set_events,
        expose_value=False,
        help="With --json: what happens on the way stands on stdout too, a line each, before the result.",
    )(function)
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
        help="Print the result as JSON, on one line; what happens on the way goes to stderr.",
    )(function)


def home_of(invocation: Invocation) -> Home:
    return find_home(invocation.home)


def finish(work: Coroutine[Any, Any, T], doing: str = "waits for the answer") -> T:
    """What `work` comes to, which is told to be `doing` that meanwhile; INTERRUPTED where a signal cancels it."""
    import asyncio

    try:
        with click.get_current_context().ensure_object(Invocation).waits(doing):
            return asyncio.run(work)
    except asyncio.CancelledError as error:
        raise BatosError("INTERRUPTED", "terminated") from error


class Command(click.Command):
    """A command whose options are given once: of two values, click itself would take the last without a word."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing:
            _check_once(self, ctx, args)
        return super().parse_args(ctx, args)


class Commands(click.Group):
    """A group of such commands, itself one as to its own options."""

    command_class = Command
    group_class = type

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing:
            _check_once(self, ctx, args)
        return super().parse_args(ctx, args)


def _check_once(command: click.Command, ctx: click.Context, args: list[str]) -> None:
    """USAGE for an option with one value that has several. The parser notes each option as often as it meets it."""
    _, _, met = command.make_parser(ctx).parse_args(args=list(args))
    for option, times in Counter(met).items():
        if isinstance(option, click.Option) and times > 1 and not (option.multiple or option.is_flag or option.count):
            raise _given_twice(ctx, option)


def _given_twice(ctx: click.Context, option: click.Parameter) -> click.UsageError:
    return click.UsageError(f"{max(option.opts, key=len)} is given twice", ctx=ctx)


class Words(Command):
    """A command whose arguments may be negative numbers; a word that begins like an option must be one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ignore_unknown_options = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        if ctx.resilient_parsing:
            return rest
        for words in ctx.params.values():
            for word in words if isinstance(words, tuple) else (words,):
                # What follows a bare `--` is refused as well: no JSON begins with two dashes.
                if isinstance(word, str) and word.startswith("--"):
                    raise click.NoSuchOption(word.partition("=")[0], ctx=ctx)
        return rest


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["--help"], "max_content_width": 120},
    epilog="Completion for your shell: batos completion bash, zsh or fish.",
)
@click.version_option(package_name="batos")
@everywhere
def batos() -> None:
    """A world of persistent objects that write their own missing methods, each behind a deterministic gate."""
