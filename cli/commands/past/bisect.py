"""`bisect`: which commit has changed an answer."""

from __future__ import annotations

import click

from cli import completing
from cli.commands.group import Words, batos, everywhere, finish, home_of
from cli.console import Invocation
from cli.live import Doing


@batos.command(cls=Words)
@everywhere
@click.argument("name", shell_complete=completing.names)
@click.argument("selector", shell_complete=completing.selectors)
@click.argument("args", nargs=-1, metavar="[JSON]…", shell_complete=completing.references)
@click.option("--kw", "kwargs", multiple=True, metavar="name=JSON", help="An argument by name. May be repeated.")
@click.option("--good", required=True, metavar="WHEN", help="A moment at which the answer was right.")
@click.option("--bad", default="now", show_default=True, metavar="WHEN", help="A later one at which it was not.")
@click.option("--expect", required=True, metavar="JSON", help="The right answer.")
@click.pass_obj
def bisect(
    invocation: Invocation,
    *,
    name: str,
    selector: str,
    args: tuple[str, ...],
    kwargs: tuple[str, ...],
    good: str,
    bad: str,
    expect: str,
) -> None:
    """Find the commit after which NAME did not answer the message SELECTOR with --expect any more.

    The message is tried in moments of the past, in the jail, and nothing of it lasts: both ends first, then halves of the commits
    between them. WHEN is a transaction, a time such as 2026-01-31T12:00, or '5 minutes ago'. What asks the model or memory cannot
    be tried.
    """
    import msgspec

    from cli.calls.past import bisect as calls
    from cli.render.past import bisect as render
    from protocol.messages import BisectProgress

    def tell(found: BisectProgress) -> None:
        if invocation.json:
            invocation.event({"event": "tried", **msgspec.structs.asdict(found)}, "")
        else:
            invocation.step(Doing("tries moments of the past", found.done, found.total), render.progress(found))

    wanted = calls.wanted(name, selector, args, kwargs, good=good, bad=bad, expect=expect)
    found = finish(calls.bisect(home_of(invocation), wanted, tell), "reads the commits")
    invocation.result(found, render.bisected(found))
