"""What lets other programs in: `token new`, `token ls`, `token revoke`."""

from __future__ import annotations

import click

from cli import completing
from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation
from protocol.origin import RIGHTS


@batos.group()
def token() -> None:
    """Let other programs in by `batos serve`, each with rights and limits of its own."""


@token.command("new")
@everywhere
@click.argument("name")
@click.option(
    "--right",
    "rights",
    multiple=True,
    type=click.Choice(RIGHTS),
    help="What it may: ask, send, propose or install; once for each. (Default: ask.)",
)
@click.option("--mandates", type=click.IntRange(min=1), metavar="N", help="At most N mandates of it at once.")
@click.option(
    "--tokens-a-day", type=click.IntRange(min=1), metavar="N", help="At most N generated tokens a day, in UTC."
)
@click.pass_obj
def new(
    invocation: Invocation, name: str, rights: tuple[str, ...], mandates: int | None, tokens_a_day: int | None
) -> None:
    """Make a token. It is shown once: the system keeps its digest alone."""
    from cli.doors import tokens

    made = finish(tokens.new(home_of(invocation), name, rights or ("ask",), mandates, tokens_a_day))
    invocation.result(made, tokens.made(made))


@token.command("ls")
@everywhere
@click.pass_obj
def ls(invocation: Invocation) -> None:
    """List the tokens that hold, with what was generated for each today."""
    from cli.doors import tokens

    found = finish(tokens.every(home_of(invocation)))
    invocation.result(found, tokens.listed(found))


@token.command("revoke")
@everywhere
@click.argument("name", shell_complete=completing.tokens)
@click.pass_obj
def revoke(invocation: Invocation, name: str) -> None:
    """Let the token in no more, and cancel what runs for it."""
    from cli.doors import tokens

    gone = finish(tokens.revoke(home_of(invocation), name))
    invocation.result(gone, tokens.revoked(gone))
