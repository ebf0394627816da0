"""`replay`: a cycle's thought once more, without effect. `cycle replay` is the same word among its kin."""

from __future__ import annotations

import click

from cli import completing
from cli.commands.group import Command, batos, everywhere, finish, home_of
from cli.commands.thought import cycle
from cli.console import Invocation


@click.command("replay", cls=Command)
@everywhere
@click.argument("id", shell_complete=completing.cycles)
@click.option(
    "--with",
    "words",
    multiple=True,
    metavar="NAME.SELECTOR=FILE",
    help="Have the source in FILE (- is standard input) stand there instead. May be repeated.",
)
@click.pass_obj
def replay(invocation: Invocation, id: str, words: tuple[str, ...]) -> int:  # noqa: A002  # the word that the help shows
    """Think a cycle or a mandate again, from its journal alone: the same trace, or the first difference (exit code 1).

    What the model, memory and the guardian said then is said again, in the world as it was read then. No token is generated, and
    nothing is written. With other sources it is what would have been, up to where the model would be asked something new.
    """
    from cli.calls.past import replay as calls
    from cli.render.past import replay as render

    wanted = calls.wanted(id, words)
    found = finish(calls.replay(home_of(invocation), wanted), "thinks it again")
    invocation.result(found, render.replayed(found))
    return 0 if found.same or (wanted.sources and found.now is not None) else 1


for group in (batos, cycle):
    group.add_command(replay)
