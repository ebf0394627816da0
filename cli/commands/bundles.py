"""Objects from one world into another: `export`, `import`."""

from __future__ import annotations

import click

from cli import completing
from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation
from protocol.errors import BatosError


@batos.command()
@everywhere
@click.argument("names", nargs=-1, required=True, metavar="NAME…", shell_complete=completing.names)
@click.option(
    "-o", "--output", "file", required=True, metavar="FILE", shell_complete=completing.files, help="The file to write."
)
@click.option("--experts", is_flag=True, help="The experts that a slot of theirs names go along.")
@click.pass_obj
def export(invocation: Invocation, names: tuple[str, ...], file: str, experts: bool) -> None:
    """Write the objects NAME, with their methods and contracts, into a file that another world can `import`.

    Objects of yours that they refer to (parents, slots, contracts) go along; the system's own are named.
    """
    from cli.bundles import exchange
    from cli.render import bundles as render_bundles

    made = finish(exchange.export(home_of(invocation), names, file, experts=experts), "gathers the objects")
    invocation.result(made, render_bundles.written(made))


@batos.command("import")
@everywhere
@click.argument("file", metavar="FILE|-", shell_complete=completing.files)
@click.option("--as", "prefix", default="", metavar="PREFIX", help="Call what comes in PREFIX.NAME.")
@click.option("--key", metavar="K", help="The idempotency key: asked again under it, the answer is the same.")
@click.pass_obj
def import_bundle(invocation: Invocation, file: str, prefix: str, key: str | None) -> None:
    """Take the objects of a bundle into the world: all of them, or none where one method is refused.

    Every method is judged, tried and held to its contract here, whatever another world has found, and has its verdict on a line
    of its own.
    """
    from cli.bundles import document, exchange
    from cli.render import bundles as render_bundles
    from cli.render import thought as render_thought

    bundle = document.read(file)
    try:
        made = finish(
            exchange.take(
                home_of(invocation),
                bundle,
                prefix,
                key,
                render_thought.telling(invocation),
            ),
            "judges and tries",
        )
    except BatosError as error:
        told = exchange.verdicts(error)
        if told and not invocation.json:
            invocation.progress(render_bundles.verdicts(told))
        raise
    if not invocation.json:
        invocation.progress(render_bundles.verdicts(made.methods))
    invocation.result(made, render_bundles.taken(made))
