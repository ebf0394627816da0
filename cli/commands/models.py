"""Models: `models`, `model check`, `model use`."""

from __future__ import annotations

import click

from cli import completing
from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation
from protocol.errors import BatosError


@batos.command()
@everywhere
@click.pass_obj
def models(invocation: Invocation) -> None:
    """List what the configured engine offers; the one that serves is marked."""
    from cli import models as work
    from cli.render import models as render_models

    found = finish(work.listed(home_of(invocation)))
    invocation.result(found, render_models.models(found))


@batos.group()
@everywhere
def model() -> None:
    """A model of one's own: look at it, use it."""


@model.command("check")
@everywhere
@click.argument("named", metavar="PATH|URL", shell_complete=completing.files)
@click.pass_obj
def model_check(invocation: Invocation, named: str) -> None:
    """Say what the model at PATH or the server at URL is, and what it would be here. Needs nothing that runs.

    PATH is a GGUF file or a Hugging Face folder; `embedded` is the default. What would keep it from being used is
    said, and the exit code is not 0.
    """
    from cli.calls import models as calls
    from cli.render import models as render_models

    try:
        found = finish(calls.check(home_of(invocation), named), "looks at the model")
    except BatosError as error:
        if error.code == "OUT_OF_MEMORY" and "memory" in error.data and not invocation.json:
            invocation.progress(render_models.checked(error.data))
        raise
    invocation.result(found, render_models.checked(found))


@model.command("use")
@everywhere
@click.argument("named", metavar="PATH|URL|embedded", shell_complete=completing.files)
@click.option("--served", metavar="NAME", help="Which of a server's models, where it has several.")
@click.pass_obj
def model_use(invocation: Invocation, named: str, served: str | None) -> None:
    """Check the model, write it into batos.toml, and have it serve; the old one again where that fails.

    Of a running system inference alone is started anew. Comments and all else in batos.toml stay. Where a server is
    configured, the name of one of its models does too. The old model stays in the world's history until `batos pack`.
    """
    from cli import models as work
    from cli.render import models as render_models

    found = finish(work.use(home_of(invocation), named, served, invocation.progress), "changes the model")
    invocation.result(found, render_models.used(found))
