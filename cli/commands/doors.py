"""Doors for others than a person at a terminal: `mcp`, `serve`, and whom they let in: `token`."""

from __future__ import annotations

import click

from cli import completing
from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation
from protocol.origin import RIGHTS


@batos.command()
@everywhere
@click.option(
    "--allow",
    type=click.Choice(["install"]),
    help="What this door may do beside proposing: install, so that what its client writes stands at once.",
)
@click.option(
    "--name", metavar="NAME", help="What the client is called in the history. (Default: what it calls itself.)"
)
@click.pass_obj
def mcp(invocation: Invocation, allow: str | None, name: str | None) -> int:
    """Open the door for agents: an MCP server on standard input and output, for as long as its client keeps them open.

    The methods that the client has written wait for your word, unless you --allow it to install them.
    """
    import asyncio

    from cli.doors.mcp import running

    home = home_of(invocation)
    invocation.json = False  # standard output is the protocol's alone, whatever goes wrong
    asyncio.run(running.serve(home, name=name, may_install=allow == "install"))
    return 0


@batos.command()
@everywhere
@click.option(
    "--host",
    metavar="NAME",
    default="127.0.0.1",
    show_default=True,
    help="Where to listen. Nothing but loopback is private.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8451,
    show_default=True,
    help="The port; 0 takes whichever is free.",
)
@click.pass_obj
def serve(invocation: Invocation, host: str, port: int) -> int:
    """Open the door for programs that speak OpenAI's dialect: /v1 on this machine, until Ctrl-C ends it.

    Each request shows a token (`batos token new NAME`), and may what the token may.
    """
    import asyncio

    from cli.doors.http import running

    def told(where: str) -> None:
        invocation.event({"event": "listening", "url": where}, f"listens at {where}")

    asyncio.run(running.serve(home_of(invocation), host, port, told))
    return 0


@batos.group()
@everywhere
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
