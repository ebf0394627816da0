"""`learn`: a method is written, and its message is not sent."""

from __future__ import annotations

import click

from cli import completing
from cli.commands.group import INTENT, TIMEOUT, batos, everywhere, finish, home_of
from cli.console import Invocation
from protocol.errors import WAITS


@batos.command()
@everywhere
@click.argument("name", shell_complete=completing.names)
@click.argument("selector", shell_complete=completing.selectors)
@click.option("--intent", metavar="TEXT", help=INTENT)
@click.option("--example", "cases", multiple=True, metavar="JSON", help="What the method must do. May be repeated.")
@click.option(
    "--dry-run", is_flag=True, help="Install nothing: show the method, the next best one, and where they differ."
)
@click.option(
    "--again", is_flag=True, help="Write a better one for a message that is understood; its old examples still hold."
)
@click.option(
    "--strict", is_flag=True, help="Install nothing where methods that hold every example do not do the same."
)
@click.option(
    "--drop-contract", is_flag=True, help="With --again: old examples, and those of what sends it, need not hold."
)
@click.option("--pick", type=click.IntRange(1), metavar="N", help="Take group N that the last `learn` of it has shown.")
@click.option("--detach", is_flag=True, help="Return as soon as the mandate is durable.")
@click.option("--key", metavar="K", help="The idempotency key: the same key never runs twice.")
@click.option("--timeout", type=float, metavar="S", help=TIMEOUT)
@click.pass_obj
def learn(
    invocation: Invocation,
    *,
    name: str,
    selector: str,
    intent: str | None,
    cases: tuple[str, ...],
    dry_run: bool,
    again: bool,
    drop_contract: bool,
    strict: bool,
    pick: int | None,
    detach: bool,
    key: str | None,
    timeout: float | None,
) -> int:
    """Have the method of the message SELECTOR to the object NAME written, without sending the message.

    SELECTOR names the parameters: 'increment_(by)'. Examples are as for `send`, and what the method must hold. Without one
    nothing is installed: the largest groups of methods that do the same are shown with what they answer, and --pick takes one.
    """
    from cli import wire
    from cli.calls import learning, mandate, sending
    from cli.render import learned as render_learned
    from cli.render import proposals as render_proposals
    from cli.render import thought as render_thought
    from protocol.messages import Learn

    home = home_of(invocation)
    how = Learn(again=again, dry_run=dry_run, strict=strict, drop_contract=drop_contract)
    wanted = mandate.read_mandate(name, selector, cases=cases, intent=intent, learn=how, detach=detach)
    if pick is not None:
        wanted = finish(learning.picked(home, wanted, pick))
    on_its_way = sending.Sending(home, wanted, key, timeout)
    try:
        found = finish(learning.learn(on_its_way, render_thought.telling(invocation)))
    except KeyboardInterrupt as error:
        raise on_its_way.abandoned("INTERRUPTED", "interrupted") from error
    about = render_learned.about(found, wanted.parameters, lambda n: learning.settling(home, wanted, found, n))
    if learning.is_in_doubt(wanted, found):
        if not invocation.json:
            invocation.progress(f"{render_learned.lesson(found)}\n{about}", verbatim=True)
        raise learning.in_doubt(wanted, found)
    is_choice = learning.is_choice(wanted, found)
    if not invocation.json:
        invocation.progress(render_learned.made(found) if is_choice else about, verbatim=True)
    shown = render_learned.groups(found.groups) if is_choice else render_learned.lesson(found)
    invocation.result(found, shown, verbatim=not is_choice)
    if is_choice and not invocation.json:
        words = wire.command(home, "learn", name, learning.shown_selector(wanted))
        invocation.progress(f"Pick one: {words} --pick N")
    if found.proposal is None:
        return 0
    if not invocation.json:
        invocation.progress("\n".join(render_proposals.answers(home, found.proposal)))
    return WAITS
