"""`pack`: what is old, or was forgotten, goes for good."""

from __future__ import annotations

import sys

import click

from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation
from protocol.errors import BatosError


@batos.command()
@everywhere
@click.option(
    "--keep", metavar="T", help="Keep so much, such as 30d or 12h (default: orchestrator.keep in batos.toml)."
)
@click.option(
    "--purge",
    is_flag=True,
    help="Take what was forgotten out of every file of the home, its whole past too. The system must be down.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def pack(invocation: Invocation, keep: str | None, purge: bool, yes: bool) -> None:
    """Forget the world's old history and what the journal says of old mandates, and give their room back. Says first what goes.

    With --purge it prints a receipt: what was removed from which file, what was found and stays, and what no program can know.
    """
    from cli.calls.keeping import pack as packing
    from cli.calls.keeping import purging

    home = home_of(invocation)
    if purge:
        found = purging.find(home, keep)
        _ask(invocation, purging.takes(found), {"documents": found.documents, "forgets": found.packed}, yes=yes)
        done = purging.purge(home, keep)
        invocation.result(done, purging.receipt(done))
        return
    first = finish(packing.pack(home, keep, really=False), "counts what would go")
    _ask(invocation, packing.forgets(first), {"forgets": first}, yes=yes)
    packed = finish(packing.pack(home, keep, really=True), "packs")
    invocation.result(packed, packing.packed(packed))


def _ask(invocation: Invocation, what: str, told: dict[str, object], *, yes: bool) -> None:
    """Have the user say that it is to go; USAGE where nobody is there to ask."""
    import msgspec

    if not invocation.json:
        invocation.progress(what)
    if yes:
        return
    if invocation.json or not sys.stdin.isatty():
        facts = {name: msgspec.to_builtins(value) for name, value in told.items()}
        raise BatosError("USAGE", "a pack forgets for good, and nobody is there to ask", "Say --yes.", **facts)
    if not click.confirm("Forget it?", err=True):
        raise BatosError("INTERRUPTED", "nothing was forgotten")
