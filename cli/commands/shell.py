"""The shell that the command is typed in: `completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from cli.commands.group import batos, everywhere
from cli.console import Invocation

VARIABLE = "_BATOS_COMPLETE"
SHELLS = {
    "bash": 'eval "$(batos completion bash)"     # in ~/.bashrc',
    "zsh": 'eval "$(batos completion zsh)"      # in ~/.zshrc, after compinit',
    "fish": "batos completion fish | source      # in ~/.config/fish/config.fish",
}


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
