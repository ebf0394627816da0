"""Contracts that live: `check`, `confirm`, `correct`."""

from __future__ import annotations

import click

from cli import completing
from cli.commands.group import TIMEOUT, batos, everywhere, finish, home_of
from cli.commands.hand import KEY
from cli.console import Invocation
from cli.live import Doing
from protocol.errors import WAITS


@batos.command()
@everywhere
@click.argument("names", nargs=-1, metavar="[NAME…]", shell_complete=completing.names)
@click.pass_obj
def check(invocation: Invocation, names: tuple[str, ...]) -> int:
    """Try every contract of the world, or those of the objects NAME. Exit code 1: one is broken.

    Each example of each method runs in the jail, many at once, and nothing is written. Ctrl-C ends it.
    """
    import msgspec

    from cli.calls import hand
    from cli.render import contracts as render_contracts
    from protocol.messages import CheckProgress

    def tell(found: CheckProgress) -> None:
        if invocation.json:
            invocation.event({"event": "checked", **msgspec.structs.asdict(found)}, "")
        else:
            doing = Doing("tries the contracts", found.done, found.total)
            invocation.step(doing, render_contracts.progress(found))

    found = finish(hand.check(home_of(invocation), names, tell))
    invocation.result(found, render_contracts.checked(found))
    return 0 if found.ok else 1


@batos.command()
@everywhere
@click.argument("mandate", shell_complete=completing.cycles)
@click.option("--key", metavar="K", help=KEY)
@click.pass_obj
def confirm(invocation: Invocation, mandate: str, key: str | None) -> None:
    """Let what a message did be an example of the method that answered it: that was right, and is to stay so.

    MANDATE is the id that the reply of `send` has, the beginning of one, or the word `last`.
    """
    from cli.calls import hand
    from cli.render import contracts as render_contracts

    made = finish(hand.confirm(home_of(invocation), mandate, key))
    invocation.result(made, render_contracts.confirmed(made))


@batos.command()
@everywhere
@click.argument("mandate", shell_complete=completing.cycles)
@click.option("--returns", metavar="JSON", help="What it should have returned.")
@click.option("--slots-after", metavar="JSON", help="The slots that it should have changed, as an object; {}: none.")
@click.option("--key", metavar="K", help=KEY)
@click.option("--timeout", type=float, metavar="S", help=TIMEOUT)
@click.pass_obj
def correct(
    invocation: Invocation,
    *,
    mandate: str,
    returns: str | None,
    slots_after: str | None,
    key: str | None,
    timeout: float | None,
) -> int:
    """Say what a message should have done: that becomes an example, and its method is learned again.

    MANDATE is as for `confirm`. An old example of the same inputs goes, and is named.
    """
    from cli.calls import hand, learning
    from cli.render import contracts as render_contracts
    from cli.render import learned as render_learned
    from cli.render import proposals as render_proposals
    from cli.render import thought as render_thought

    home = home_of(invocation)
    on_its_way = hand.correction(home, mandate, returns=returns, slots_after=slots_after, key=key, seconds=timeout)
    try:
        found = finish(learning.learn(on_its_way, render_thought.telling(invocation)))
    except KeyboardInterrupt as error:
        raise on_its_way.abandoned("INTERRUPTED", "interrupted") from error
    if not invocation.json:
        about = [render_learned.about(found, (), lambda _: None), render_contracts.replaced(found.replaced)]
        invocation.progress("\n".join(part for part in about if part))
    invocation.result(found, render_learned.lesson(found))
    if found.proposal is None:
        return 0
    if not invocation.json:
        invocation.progress("\n".join(render_proposals.answers(home, found.proposal)))
    return WAITS
