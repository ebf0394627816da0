"""`backup` and `restore`: a home that is kept elsewhere, and made again."""

from __future__ import annotations

from collections.abc import Callable

import click

from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation
from cli.live import Doing


@batos.command()
@everywhere
@click.argument("folder", metavar="DIR", type=click.Path())
@click.pass_obj
def backup(invocation: Invocation, folder: str) -> None:
    """Back the home up into the folder DIR: world, blobs, journal and settings, while the system runs or not.

    Each backup is a generation, whole or not there at all. One into the same folder copies only what is new.
    """
    from cli.calls.keeping import backup as calls
    from cli.render.keeping import backup as shown

    found = finish(calls.backup(home_of(invocation), folder, _telling(invocation)), "backs the home up")
    invocation.result(found, shown.made(found))


@batos.command()
@everywhere
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option(
    "--at", metavar="WHEN", help="The newest generation until WHEN, or the one of this name (default: the newest)."
)
@click.option("--list", "is_list", is_flag=True, help="Show the generations; restore nothing.")
@click.pass_obj
def restore(invocation: Invocation, folder: str, at: str | None, is_list: bool) -> None:
    """Make a home, which must be empty or not there, of the backup in DIR: verified as a whole before anything is in its place.

    Where it is killed, the same command goes on. The backup is only read.
    """
    from cli.calls.keeping import backup as calls
    from cli.render.keeping import backup as shown

    home = home_of(invocation)
    if is_list:
        if at is not None:
            raise click.UsageError("--list shows all generations: --at does not go with it")
        found = finish(calls.generations(home, folder), "reads the generations")
        invocation.result(found, shown.generations(found))
        return
    found = finish(calls.restore(home, folder, at, _telling(invocation)), "restores the home")
    invocation.result(found, shown.restored(found))


def _telling(invocation: Invocation) -> Callable[[str], None]:
    def tell(what: str) -> None:
        invocation.event({"event": "keeping", "does": what}, "", Doing(what))

    return tell
