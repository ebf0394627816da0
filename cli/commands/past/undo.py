"""`undo` and `rewind`: what was written into the world, taken back."""

from __future__ import annotations

import click

from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation

KEY = "The idempotency key: asked again under it, the answer is the same."
DRY = "Only say what would be, and what is in the way."


@batos.command()
@everywhere
@click.argument("what", metavar="TID|CYCLE|last")
@click.option("--cascade", is_flag=True, help="Take back what came to stand on it too, the newest first.")
@click.option("--dry-run", is_flag=True, help=DRY)
@click.option("--key", metavar="K", help=KEY)
@click.pass_obj
def undo(invocation: Invocation, what: str, *, cascade: bool, dry_run: bool, key: str | None) -> None:
    """Take back what one commit did: slots, methods with their contracts, names, proposals, and what memory learned of it.

    TID|CYCLE is a transaction of `batos log`, the id of a cycle or a mandate, or the word last. Nothing is written over that has
    changed since: that is named, and nothing is taken back. An undo is a commit itself, and can be taken back.
    """
    from cli.calls.past import undo as calls
    from cli.render.past import undo as render

    done = finish(calls.undo(home_of(invocation), what, cascade=cascade, dry_run=dry_run, key=key), "takes it back")
    invocation.result(done, render.undone(done, dry_run=dry_run))


@batos.command()
@everywhere
@click.argument("when", metavar="WHEN")
@click.option("--dry-run", is_flag=True, help=DRY)
@click.option("--key", metavar="K", help=KEY)
@click.pass_obj
def rewind(invocation: Invocation, when: str, *, dry_run: bool, key: str | None) -> None:
    """Let all that you and the mind have written since WHEN be as it was then, in one transaction.

    WHEN is a transaction of `batos log`, a time, yesterday, or '1 hour ago'. Documents that you had remembered stay, and so does what
    the system itself has written; both are named. `batos undo` of the rewind brings all of it back.
    """
    from cli.calls.past import undo as calls
    from cli.render.past import undo as render

    done = finish(calls.rewind(home_of(invocation), when, dry_run=dry_run, key=key), "goes back")
    invocation.result(done, render.undone(done, dry_run=dry_run))
