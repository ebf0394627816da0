"""The user's hand: `define`, and what else a person writes into the world without the mind."""

from __future__ import annotations

import click

from cli import completing
from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation
from protocol.errors import BatosError

KINDS = ("objects", "methods", "documents", "experts", "proposals", "names")
KEY = "The idempotency key: asked again under it, the answer is the same."


@batos.command()
@everywhere
@click.argument("name", shell_complete=completing.names)
@click.argument("file", metavar="FILE|-", shell_complete=completing.files)
@click.option("--drop-contract", is_flag=True, help="Define it though it breaks a contract; its own then goes.")
@click.option("--key", metavar="K", help=KEY)
@click.pass_obj
def define(invocation: Invocation, name: str, file: str, drop_contract: bool, key: str | None) -> None:
    """Put your own methods, one or several in FILE, on the object NAME: all of them, or none where one is refused.

    They pass the same gates as any other method. One that takes another one's place must hold its examples, and those of
    the methods that send it. What it replaces stays readable.
    """
    from cli.calls import hand
    from cli.render import hand as render_hand

    source = hand.read_source(file)
    try:
        made = finish(hand.define(home_of(invocation), name, source, drop_contract=drop_contract, key=key))
    except BatosError as error:
        broken = hand.violations(error)
        if broken and not invocation.json:
            invocation.progress(render_hand.refused(hand.shown(file), broken))
        raise
    invocation.result(made, render_hand.defined(made))


@batos.command("set")
@everywhere
@click.argument("name", shell_complete=completing.names)
@click.argument("slots", nargs=-1, required=True, metavar="slot=JSON…", shell_complete=completing.references)
@click.option("--key", metavar="K", help=KEY)
@click.pass_obj
def set_slots(invocation: Invocation, name: str, slots: tuple[str, ...], key: str | None) -> None:
    """Write slots of the object NAME, such as width=5 product=@pen. Parents too: 'parent*=@shape'.

    _learning=auto|propose|deny says whether the mind installs, proposes or writes no methods on NAME and its heirs.
    """
    from cli.calls import hand
    from cli.render import hand as render_hand

    made = finish(hand.set_slots(home_of(invocation), name, slots, key))
    invocation.result(made, render_hand.slots_set(made))


@batos.command()
@everywhere
@click.argument("name", shell_complete=completing.names)
@click.argument("entry", required=False, shell_complete=completing.entries, metavar="[SELECTOR|SLOT]")
@click.option("--force", is_flag=True, help="Drop it although something stands on it.")
@click.option("--key", metavar="K", help=KEY)
@click.pass_obj
def drop(invocation: Invocation, name: str, entry: str | None, force: bool, key: str | None) -> None:
    """Take a method or a slot from the object NAME; without one, take its name away.

    What stands on it (heirs, references, methods that use it) is named first, and nothing is dropped. An object without a
    name stays for as long as something refers to it.
    """
    from cli.calls import hand
    from cli.render import hand as render_hand

    gone = finish(hand.drop(home_of(invocation), name, entry, force=force, key=key))
    invocation.result(gone, render_hand.dropped(gone))


@batos.command()
@everywhere
@click.argument("old", shell_complete=completing.names)
@click.argument("new")
@click.option("--key", metavar="K", help=KEY)
@click.pass_obj
def rename(invocation: Invocation, old: str, new: str, key: str | None) -> None:
    """Call the object OLD by the name NEW. Whoever refers to it goes on to do so."""
    from cli.calls import hand
    from cli.render import hand as render_hand

    made = finish(hand.rename(home_of(invocation), old, new, key))
    invocation.result(made, render_hand.renamed(made))


@batos.command()
@everywhere
@click.argument("name", shell_complete=completing.names)
@click.argument("selector", shell_complete=completing.selectors)
@click.option(
    "--to",
    metavar="SHA",
    shell_complete=completing.versions,
    help="The version to have again: the beginning of its hash (default: the one before).",
)
@click.option("--drop-contract", is_flag=True, help="Let it stand though it breaks a contract; its own then goes.")
@click.option("--key", metavar="K", help=KEY)
@click.pass_obj
def revert(
    invocation: Invocation, name: str, selector: str, to: str | None, drop_contract: bool, key: str | None
) -> None:
    """Let an earlier version of the method SELECTOR stand on NAME again, also after it was dropped.

    It passes the gates again, and must hold the contract that it had, and those of the methods that send it.
    """
    from cli.calls import hand
    from cli.render import hand as render_hand

    made = finish(hand.revert(home_of(invocation), name, selector, to, key, drop_contract=drop_contract))
    invocation.result(made, render_hand.reverted(made))


@batos.command()
@everywhere
@click.argument("kind", type=click.Choice(KINDS), default="objects", metavar=f"[{'|'.join(KINDS)}]")
@click.option("--after", metavar="ITEM", help="Go on after this one: `next` of the page before.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, metavar="N", help="At most N.")
@click.pass_obj
def ls(invocation: Invocation, kind: str, after: str | None, limit: int) -> None:
    """List what the world holds: your objects, their methods, what is remembered, experts, what waits for you, or all names."""
    from cli.calls import hand
    from cli.render import hand as render_hand

    found = finish(hand.listed(home_of(invocation), kind, after, limit))
    invocation.result(found, render_hand.listed(found))


@batos.command()
@everywhere
@click.argument("name", shell_complete=completing.names)
@click.argument("selector", required=False, shell_complete=completing.selectors)
@click.option(
    "--after", type=click.IntRange(0), default=0, metavar="N", help="Leave the newest N away: `next` of a page."
)
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, metavar="N", help="At most N.")
@click.pass_obj
def history(invocation: Invocation, name: str, selector: str | None, after: int, limit: int) -> None:
    """List the versions of the method SELECTOR of NAME, or of all its methods: when, by whom, and why; the newest first."""
    from cli.calls import hand
    from cli.render import hand as render_hand

    found = finish(hand.history(home_of(invocation), name, selector, after, limit))
    invocation.result(found, render_hand.versions(found))


@batos.command()
@everywhere
@click.argument("name", shell_complete=completing.names)
@click.argument("selector", shell_complete=completing.selectors)
@click.option("--drop-contract", is_flag=True, help="Define it though it breaks a contract; its own then goes.")
@click.pass_obj
def edit(invocation: Invocation, name: str, selector: str, drop_contract: bool) -> None:
    """Edit the method SELECTOR of NAME in $VISUAL or $EDITOR, and define what was saved.

    A new one begins with its first line: 'increment_(by)' names the parameters. Where it is refused the text is kept, and said
    where. An editor that fails, or saves nothing, changes nothing.
    """
    from cli.calls import editing, hand
    from cli.render import hand as render_hand

    home = home_of(invocation)
    begun = finish(editing.begin(home, name, selector))
    try:
        text = editing.edited(begun)
    except BatosError as error:
        if (saved := error.data.get("text")) is None:
            raise
        raise editing.kept_in(home, begun, editing.keep(home, begun, saved), error) from error
    if text is None:
        invocation.result(editing.unchanged(begun), f"{name}.{begun.selector} is as it was: nothing was saved")
        return
    try:
        made = finish(editing.define(home, begun, text, drop_contract=drop_contract))
    except BatosError as error:
        broken = hand.violations(error)
        kept = editing.keep(home, begun, text)
        if broken and not invocation.json:
            invocation.progress(render_hand.refused(str(kept), broken))
        raise editing.kept_in(home, begun, kept, error) from error
    invocation.result(made, render_hand.defined(made))
