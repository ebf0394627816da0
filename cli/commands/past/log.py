"""`log` and `diff`: the world's history, read."""

from __future__ import annotations

import sys

import click

from cli import completing
from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation

WHEN = "a transaction, a time such as 2026-01-31T12:00, yesterday, or '5 minutes ago'"


@batos.command()
@everywhere
@click.option("--object", "target", metavar="NAME|OID", shell_complete=completing.names, help="Of one object alone.")
@click.option("--since", metavar="WHEN", help=f"From then on: {WHEN}.")
@click.option("--before", metavar="WHEN", help="Before then alone: `next` of the page before.")
@click.option("--cycle", metavar="ID", help="Of one cycle or mandate: its id, or the beginning of it.")
@click.option("--all", "every", is_flag=True, help="The system's own bookkeeping too.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, metavar="N", help="At most N.")
@click.pass_obj
def log(
    invocation: Invocation,
    target: str | None,
    since: str | None,
    before: str | None,
    cycle: str | None,
    *,
    every: bool,
    limit: int,
) -> None:
    """List what was written into the world, the newest first: when, by whom, in which cycle, why, and what of which objects.

    The id at the end of a line is what `undo`, `diff` and --at take.
    """
    from cli.calls.past import log as calls
    from cli.render.past import log as render

    work = calls.log(
        home_of(invocation), target=target, since=since, before=before, cycle=cycle, limit=limit, every=every
    )
    found = finish(work, "reads the history")
    invocation.result(found, render.logged(found))


@batos.command()
@everywhere
@click.argument("a", metavar="WHEN")
@click.argument("b", metavar="[WHEN]", default="now")
@click.option("--object", "target", metavar="NAME|OID", shell_complete=completing.names, help="Of one object alone.")
@click.option("--after", metavar="OID", help="Go on after this object: `next` of the page before.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, metavar="N", help="At most N objects."
)
@click.pass_obj
def diff(invocation: Invocation, a: str, b: str, target: str | None, after: str | None, limit: int) -> None:
    """Show what the world has become between two moments: slots, methods as unified diffs, personas, experts, documents.

    WHEN is a transaction (`batos log`), a time, yesterday, or '1 hour ago'; the second one is now unless it is given.
    """
    from cli.calls.past import log as calls
    from cli.render.past import log as render

    found = finish(calls.diff(home_of(invocation), a, b, target=target, after=after, limit=limit), "compares the two")
    invocation.result(found, render.differences(found, sys.stdout))
