"""The user's hand: `define`, and what else a person writes into the world without the mind."""

from __future__ import annotations

import click

from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation
from protocol.errors import BatosError

KEY = "The idempotency key: asked again under it, the answer is the same."


@batos.command()
@everywhere
@click.argument("name")
@click.argument("file", metavar="FILE|-")
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
