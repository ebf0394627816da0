"""Objects and messages: `new`, `send`, `look`, `source`."""

from __future__ import annotations

import sys

import click

from cli import completing
from cli.commands.group import INTENT, TIMEOUT, Words, batos, everywhere, finish, home_of
from cli.console import Invocation
from protocol.errors import WAITS, BatosError

AT = "As it was then: a transaction of `batos log`, a time such as 2026-01-31T12:00, yesterday, or '5 minutes ago'."


@batos.command()
@everywhere
@click.argument("name")
@click.argument("slots", nargs=-1, metavar="[slot=JSON]…", shell_complete=completing.references)
@click.option(
    "--parent", metavar="P", shell_complete=completing.names, help="The object to delegate to (default: traits_obj)."
)
@click.option("--key", metavar="K", help="The idempotency key: the same key makes the object once.")
@click.pass_obj
def new(invocation: Invocation, name: str, slots: tuple[str, ...], parent: str | None, key: str | None) -> None:
    """Make an object NAME with these slots, such as width=5 title='"a text"' product=@pen."""
    from cli.calls import objects
    from cli.render import render

    made = finish(objects.create(home_of(invocation), name, slots, parent, key))
    invocation.result(made, render.created(made))


@batos.command(cls=Words)
@everywhere
@click.argument("name", shell_complete=completing.names)
@click.argument("selector", shell_complete=completing.selectors)
@click.argument("args", nargs=-1, metavar="[JSON]…", shell_complete=completing.references)
@click.option("--kw", "kwargs", multiple=True, metavar="name=JSON", help="An argument by name. May be repeated.")
@click.option("--intent", metavar="TEXT", help=INTENT)
@click.option("--example", "cases", multiple=True, metavar="JSON", help="What the message must do. May be repeated.")
@click.option("--new", is_flag=True, help="Have it written although NAME understands one that is spelt almost like it.")
@click.option(
    "--wait", is_flag=True, help="Where its method is only proposed, wait until that is accepted or rejected."
)
@click.option("--detach", is_flag=True, help="Return as soon as the mandate is durable.")
@click.option("--key", metavar="K", help="The idempotency key: the same key never runs twice.")
@click.option("--timeout", type=float, metavar="S", help=TIMEOUT)
@click.pass_obj
def send(
    invocation: Invocation,
    *,
    name: str,
    selector: str,
    args: tuple[str, ...],
    kwargs: tuple[str, ...],
    intent: str | None,
    cases: tuple[str, ...],
    new: bool,
    wait: bool,
    detach: bool,
    key: str | None,
    timeout: float | None,
) -> int:
    """Send the message SELECTOR to the object NAME; where nothing understands it, a method is written first.

    SELECTOR may name its parameters: 'increment_(by)'. An example is
    '{"slots":{"width":3,"height":4},"args":[],"returns":12}', with "slots_after" for what must change. Without one the
    method waits for your word (`batos accept`), and so does the message: exit code 8.
    """
    from cli.calls import learning, mandate, sending
    from cli.render import learned as render_learned
    from cli.render import proposals as render_proposals
    from cli.render import render
    from cli.render import thought as render_thought

    if wait and detach:
        raise BatosError("USAGE", "--wait waits for the answer, and --detach does not", "Give one of the two.")
    wanted = mandate.read_mandate(name, selector, args, kwargs, cases, intent=intent, detach=detach, new=new)
    home = home_of(invocation)
    on_its_way = sending.Sending(home, wanted, key, timeout)

    try:
        telling = render_thought.telling(invocation)
        reply = finish(on_its_way.run(telling))
        if reply.proposal is not None and not invocation.json:
            invocation.progress(render_proposals.asked(home, reply.method, reply.proposal), verbatim=True)
        if reply.proposal is not None and wait:
            reply = finish(on_its_way.settled(reply, telling))
    except KeyboardInterrupt as error:
        raise on_its_way.abandoned("INTERRUPTED", "interrupted") from error
    if not invocation.json and reply.proposal is None:
        invocation.progress(render.sent(reply))
        if doubt := render_learned.sent(reply, learning.settled_by(home, wanted, reply)):
            invocation.progress(doubt, verbatim=True)
    invocation.result(learning.answered(reply), render.answer(reply), verbatim=True)
    return 0 if reply.proposal is None else WAITS


@batos.command()
@everywhere
@click.argument("target", required=False, metavar="[NAME|OID]", shell_complete=completing.names)
@click.option("--at", metavar="WHEN", help=AT)
@click.option("--after", metavar="ENTRY", help="Go on after this entry: `next` of the page before.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, metavar="N", help="At most N entries."
)
@click.pass_obj
def look(invocation: Invocation, target: str | None, at: str | None, after: str | None, limit: int) -> None:
    """Show an object: slots, parents, methods with author and verdict. (Without a name: the root.)"""
    from cli.calls import objects
    from cli.render import render

    seen = finish(objects.look(home_of(invocation), target, at, after, limit))
    invocation.result(seen, render.looked(seen))


@batos.command()
@everywhere
@click.argument("name", shell_complete=completing.names)
@click.argument("selector", shell_complete=completing.selectors)
@click.option("--at", metavar="WHEN", help=AT)
@click.pass_obj
def source(invocation: Invocation, name: str, selector: str, at: str | None) -> None:
    """Print the method that NAME answers SELECTOR with."""
    from cli.calls import objects
    from cli.render import render

    found = finish(objects.source(home_of(invocation), name, selector, at))
    if found.method.intent and not invocation.json:
        invocation.progress(render.intent(found))
    invocation.result(found, render.source(found, terminal=sys.stdout.isatty()), verbatim=True)
