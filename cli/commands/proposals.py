"""What the mind has written and may not install by itself: `proposals`, `accept`, `reject`."""

from __future__ import annotations

import click

from cli import completing
from cli.commands.group import batos, everywhere, finish, home_of
from cli.commands.hand import KEY
from cli.console import Invocation
from protocol.errors import WAITS


@batos.command()
@everywhere
@click.argument("id", required=False, metavar="[ID]", shell_complete=completing.proposals)
@click.option("--after", metavar="ID", help="Go on after this one: `next` of the page before.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, metavar="N", help="At most N.")
@click.pass_obj
def proposals(invocation: Invocation, id: str | None, after: str | None, limit: int) -> None:  # noqa: A002  # as the help shows it
    """List the methods that wait for your word; with ID, or the beginning of one, show that one whole."""
    from cli.calls import hand
    from cli.render import proposals as render_proposals

    home = home_of(invocation)
    found = finish(hand.proposals(home, id, after, limit))
    text = render_proposals.listed(found) if id is None else render_proposals.whole(home, found.proposals[0])
    invocation.result(found, text)


@batos.command()
@everywhere
@click.argument("id", shell_complete=completing.proposals)
@click.option("--no-send", is_flag=True, help="Do not send the message for which it was written.")
@click.option("--key", metavar="K", help=KEY)
@click.option(
    "--timeout", type=float, default=360.0, show_default=True, metavar="S", help="Seconds to wait for its answer."
)
@click.pass_obj
def accept(invocation: Invocation, id: str, no_send: bool, key: str | None, timeout: float) -> int:  # noqa: A002
    """Install the method that is proposed as ID, and send the message for which it was written.

    It is judged and tried again in the world as it is now. Where it fails, nothing changes, and it goes on to wait.
    """
    import msgspec

    from cli.calls import hand, objects
    from cli.render import proposals as render_proposals
    from cli.render import thought as render_thought
    from protocol.failure import raised_from

    home = home_of(invocation)
    made = finish(hand.accept(home, id, send=not no_send, key=key))
    shape = msgspec.structs.asdict(made)
    if made.sends is None:
        invocation.result({**shape, "sent": None}, render_proposals.accepted(made))
        return 0
    if not invocation.json:
        invocation.progress(render_proposals.accepted(made))
    sent = finish(objects.watch(home, made.sends, timeout, render_thought.telling(invocation)))
    invocation.result({**shape, "sent": sent}, render_thought.watched(sent))
    if sent.error is not None:
        return raised_from(sent.error).exit_code
    return WAITS if sent.proposal is not None else 0


@batos.command()
@everywhere
@click.argument("id", shell_complete=completing.proposals)
@click.option("--because", metavar="TEXT", default="", help="Why: whoever writes the method the next time is told.")
@click.option("--key", metavar="K", help=KEY)
@click.pass_obj
def reject(invocation: Invocation, id: str, because: str, key: str | None) -> None:  # noqa: A002
    """Refuse the method that is proposed as ID. The message for which it was written has no answer then."""
    from cli.calls import hand
    from cli.render import proposals as render_proposals

    gone = finish(hand.reject(home_of(invocation), id, because, key))
    invocation.result(gone, render_proposals.rejected(gone))
