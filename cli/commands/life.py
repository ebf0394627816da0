"""The life of a home: `up`, `down`, `status`, and `demo`; and the shell that all of this is typed in: `completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation

VARIABLE = "_BATOS_COMPLETE"
SHELLS = {
    "bash": 'eval "$(batos completion bash)"     # in ~/.bashrc',
    "zsh": 'eval "$(batos completion zsh)"      # in ~/.zshrc, after compinit',
    "fish": "batos completion fish | source      # in ~/.config/fish/config.fish",
}


@batos.command()
@everywhere
@click.pass_obj
def up(invocation: Invocation) -> None:
    """Start the system; returns when every actor is ready."""
    from cli import lifecycle
    from cli.render import render

    found = finish(lifecycle.up(home_of(invocation), invocation.progress), "starts")
    invocation.result(found, render.started(found))


@batos.command()
@everywhere
@click.pass_obj
def down(invocation: Invocation) -> None:
    """Stop the system; leaves no process."""
    from cli import lifecycle
    from cli.render import render

    found = finish(lifecycle.down(home_of(invocation), invocation.progress), "stops")
    invocation.result(found, render.stopped(found))


@batos.command()
@everywhere
@click.pass_obj
def status(invocation: Invocation) -> int:
    """Say how each actor is. Exit code 0: all are ready; 3: not."""
    from cli import lifecycle
    from cli.render import render

    found = finish(lifecycle.status(home_of(invocation)), "asks everybody")
    invocation.result(found, render.status(found))
    return 0 if found["ready"] else 3


@batos.command()
@everywhere
@click.option("--auto", is_flag=True, help="Let it type by itself what it shows.")
@click.pass_obj
def tour(invocation: Invocation, auto: bool) -> int:
    """Walk through the main things by hand, in a throw-away world: learn, inspect, refuse, correct, kill -9, history, revert.

    It takes about ten minutes. Every command that it shows is the real one.
    """
    from cli.render import render
    from cli.stories import tour as story

    found = story.run(invocation, auto=auto)
    invocation.result(found, render.walked(found))
    return 0 if found["ok"] else 1


@batos.command()
@everywhere
@click.pass_obj
def demo(invocation: Invocation) -> int:
    """Show the main job in a throw-away world, in about two minutes."""
    from cli.render import render
    from cli.stories import demo as story

    found = finish(story.run(invocation), "plays")
    invocation.result(found, render.demo(found))
    return 0 if found["ok"] else 1


@batos.command()
@everywhere
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_obj
def completion(invocation: Invocation, shell: str) -> None:
    """Print what the shell must read to complete commands, options, and the names, selectors and ids of the world that runs."""
    if not invocation.json:
        invocation.progress(f"# For every new shell:\n#   {SHELLS[shell]}")
    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(batos, {}, "batos", VARIABLE).source()
    invocation.result({"shell": shell, "script": script, "how": SHELLS[shell]}, script, verbatim=True)
