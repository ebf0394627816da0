"""`why`: where something comes from, and what came of it."""

from __future__ import annotations

import click

from cli import completing
from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation

KINDS = ("method", "mandate", "document")


@batos.command()
@everywhere
@click.argument("what", metavar="MANDATE|CYCLE|NAME.SELECTOR|DOC_ID", shell_complete=completing.names)
@click.option(
    "--used-by", is_flag=True, help="What came of it as well: who sends it, what it has answered, what was made of it."
)
@click.option("--as", "kind", type=click.Choice(KINDS), help="What is meant, where it could be several things.")
@click.pass_obj
def why(invocation: Invocation, *, what: str, used_by: bool, kind: str | None) -> None:
    """Tell where a method, a mandate or a document comes from: who asked, what wrote it, what that was told.

    The prompts and seeds of the texts that were drawn for it, and the passages, are read from the journal (all of each in --json).
    """
    from cli.calls.past import why as calls
    from cli.render.past import why as render

    found = finish(calls.why(home_of(invocation), what, kind or "", used_by=used_by), "reads the journal")
    invocation.result(found, render.told(found))
