"""The mind: `ask`, `cycle`, `codex`."""

from __future__ import annotations

import click

from cli import completing
from cli.commands.group import TIMEOUT, batos, everywhere, finish, home_of
from cli.console import Invocation
from protocol.errors import WAITS


@batos.command()
@everywhere
@click.argument("question")
@click.option(
    "--plain", "way", flag_value="plain", help="One prompt with the passages, whatever the question looks like."
)
@click.option("--deep", "way", flag_value="deep", help="Personas answer too, whatever the question looks like.")
@click.option(
    "--thread", metavar="NAME", help="Keep the conversation in the object NAME; later questions are understood from it."
)
@click.option("--answers", is_flag=True, help="Earlier answers are sources too.")
@click.option("--detach", is_flag=True, help="Return as soon as the question is durable.")
@click.option("--key", metavar="K", help="The idempotency key: the same key never asks twice.")
@click.option("--timeout", type=float, metavar="S", help=TIMEOUT)
@click.pass_obj
def ask(
    invocation: Invocation,
    question: str,
    way: str | None,
    thread: str | None,
    answers: bool,
    detach: bool,
    key: str | None,
    timeout: float | None,
) -> int:
    """Ask the mind. A simple QUESTION is answered at once from what is remembered; one of several parts by personas too.

    Each sentence of the answer points to a passage. Where the documents do not say it, that is the answer.
    """
    from cli.calls import asking
    from cli.render import proposals as render_proposals
    from cli.render import thought as render_thought

    manner = asking.manner(way, thread, answers=answers)
    asked = asking.Asking(home_of(invocation), question, detach=detach, key=key, seconds=timeout, manner=manner)
    follower = render_thought.Follower(invocation.grow)
    try:
        found = finish(
            asked.run(lambda event: invocation.event(event, follower.tell(event), render_thought.doing(event))),
            "thinks",
        )
    except KeyboardInterrupt as error:
        raise asked.sending.abandoned("INTERRUPTED", "interrupted") from error
    finally:
        follower.rest()
    is_told = invocation.streams and follower.written.strip() == found.answer
    shown = render_thought.places(found) if is_told else render_thought.answer(found)
    if shown:
        invocation.result(found, shown)
    if not invocation.json:
        invocation.progress(render_thought.about(found))
    if found.proposal is None:
        return 0
    if not invocation.json:
        invocation.progress("\n".join(render_proposals.answers(asked.sending.home, found.proposal)))
    return WAITS


@batos.command()
@everywhere
@click.argument("file", required=False, metavar="[FILE|-]", shell_complete=completing.files)
@click.pass_obj
def codex(invocation: Invocation, file: str | None) -> None:
    """Print the persona codex as TOML; with FILE, load that one. A facet whose pillar changes is written again."""
    from cli.calls import objects
    from cli.render import thought as render_thought

    found = finish(objects.codex(home_of(invocation), file))
    shown = found.text.rstrip("\n") if file is None else render_thought.codex(found)
    invocation.result(found, shown, verbatim=file is None)


@batos.group()
@everywhere
def cycle() -> None:
    """The cycles: what was thought, step by step."""


@cycle.command("ls")
@everywhere
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="The newest so many.")
@click.pass_obj
def cycle_ls(invocation: Invocation, limit: int) -> None:
    """List the cycles, newest first."""
    from cli.calls import objects
    from cli.render import thought as render_thought

    found = finish(objects.cycles(home_of(invocation), limit))
    invocation.result({"cycles": found}, render_thought.cycles(found))


@cycle.command("show")
@everywhere
@click.argument("id", shell_complete=completing.cycles)
@click.pass_obj
def cycle_show(invocation: Invocation, id: str) -> None:  # noqa: A002  # the word that the help shows
    """Show one cycle by its id, by that of its mandate, or by a unique beginning of either."""
    from cli.calls import objects
    from cli.render import thought as render_thought

    story = finish(objects.story(home_of(invocation), id))
    invocation.result(story, render_thought.story(story))


@cycle.command("watch")
@everywhere
@click.argument("id", shell_complete=completing.cycles)
@click.option("--timeout", type=float, default=360.0, show_default=True, metavar="S", help="Seconds to wait.")
@click.pass_obj
def cycle_watch(invocation: Invocation, id: str, timeout: float) -> int:  # noqa: A002  # as above
    """Follow a cycle, or a mandate, to its end. Exit code 1: it failed; 8: it waits for your word."""
    from cli.calls import objects
    from cli.render import thought as render_thought

    found = finish(objects.watch(home_of(invocation), id, timeout, render_thought.telling(invocation)), "watches")
    invocation.result(found, render_thought.watched(found))
    return WAITS if found.proposal is not None else 0 if found.error is None else 1


@cycle.command("cancel")
@everywhere
@click.argument("id", shell_complete=completing.cycles)
@click.pass_obj
def cycle_cancel(invocation: Invocation, id: str) -> None:  # noqa: A002  # as above
    """End a mandate, by its id or by that of one of its cycles. It stops generating, and nothing of it is published."""
    from cli.calls import objects
    from cli.render import thought as render_thought

    found = finish(objects.cancel(home_of(invocation), id))
    invocation.result(found, render_thought.cancelled(found))
