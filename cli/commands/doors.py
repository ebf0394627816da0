"""Doors for others than a person at a terminal: `mcp`, `serve`."""

from __future__ import annotations

import click

from cli.commands.group import batos, everywhere, home_of
from cli.console import Invocation


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
