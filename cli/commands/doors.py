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
    asyncio.run(running.serve(home, name=name, may_install=allow == "install"))
    return 0
