"""The gate and what it stands on: `guard`, `doctor`."""

from __future__ import annotations

import click

from cli import completing
from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation


@batos.command()
@everywhere
@click.argument("file", required=False, metavar="FILE|-", shell_complete=completing.files)
@click.option(
    "--jsonl", metavar="FILE|-", help="Many sources: a line each, {id, code}, for --trial slots and examples."
)
@click.option(
    "--gate",
    type=click.Choice(["covenant", "policy", "all"]),
    default="all",
    show_default=True,
    help="Which of the static gates judge.",
)
@click.option("--trial", is_flag=True, help="Also run each source in the jail on its slots and examples.")
@click.pass_obj
def guard(invocation: Invocation, file: str | None, jsonl: str | None, gate: str, trial: bool) -> int:
    """Judge source by the guardian's gates; needs nothing running. Exit code 4 when any is rejected."""
    from cli.calls import guard as gatehouse

    if (file is None) == (jsonl is None):
        raise click.UsageError("give one source, or --jsonl with many", ctx=click.get_current_context())
    where = ["--jsonl", jsonl] if jsonl is not None else [file or "-"]
    with invocation.waits("judges"):
        return gatehouse.run(invocation, [*where, "--gate", gate, *(["--trial"] if trial else [])])


@batos.command()
@everywhere
@click.option("--deep", is_flag=True, help="Also read every record of the world, and every page of the journal.")
@click.pass_obj
def doctor(invocation: Invocation, deep: bool) -> int:
    """Say what this machine gives the system, and what to do about what is missing. Exit code 3 when that is required."""
    from cli.health import doctor as surgery

    found = finish(surgery.examine(home_of(invocation), deep=deep), "examines")
    invocation.result(found, surgery.shown(found))
    return 0 if found["ok"] else 3
