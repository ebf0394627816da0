"""Experts: `expert import`, `ls`, `activate`, `pin`."""

from __future__ import annotations

import click

from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation


@batos.group()
@everywhere
def expert() -> None:
    """The experts: LoRA adapters over the base model, lent to personas and rows."""


@expert.command("import")
@everywhere
@click.argument("path")
@click.argument("name")
@click.option("--for", "persona", metavar="PERSONA", help="Have this persona speak through it from now on.")
@click.pass_obj
def expert_import(invocation: Invocation, path: str, name: str, persona: str | None) -> None:
    """Take the PEFT LoRA at PATH (a folder, or the .safetensors in it) into the world as the expert NAME.

    An adapter that is not whole, or not made for the base model, is refused, and nothing changes. A NAME that
    is there already gets the new content; whoever refers to it goes on to do so.
    """
    from cli import experts, render_experts

    found = finish(experts.bring(home_of(invocation), path, name, persona))
    invocation.result(found, render_experts.imported(found))


@expert.command("ls")
@everywhere
@click.pass_obj
def expert_ls(invocation: Invocation) -> None:
    """List the experts: cold in the world, warm in memory, or hot on the device."""
    from cli import experts, render_experts

    found = finish(experts.listed(home_of(invocation)))
    invocation.result({"experts": found}, render_experts.experts(found))


@expert.command("activate")
@everywhere
@click.argument("name")
@click.pass_obj
def expert_activate(invocation: Invocation, name: str) -> None:
    """Bring the expert NAME to the device, where the one used longest ago makes room."""
    from cli import experts, render_experts

    found = finish(experts.activate(home_of(invocation), name))
    invocation.result(found, render_experts.activated(found))


@expert.command("pin")
@everywhere
@click.argument("name")
@click.option("--off", is_flag=True, help="Let it go again.")
@click.pass_obj
def expert_pin(invocation: Invocation, name: str, off: bool) -> None:
    """Bring the expert NAME to the device and keep it there, until it is let go, replaced, or the system stops."""
    from cli import experts, render_experts

    found = finish(experts.activate(home_of(invocation), name, pin=not off))
    invocation.result(found, render_experts.activated(found))
