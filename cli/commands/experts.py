"""Experts: `expert import`, `ls`, `activate`, `pin`, `train`."""

from __future__ import annotations

from typing import Any

import click

from cli import completing
from cli.commands.group import batos, everywhere, finish, home_of
from cli.console import Invocation


@batos.group()
@everywhere
def expert() -> None:
    """The experts: LoRA adapters over the base model, lent to personas and rows."""


@expert.command("import")
@everywhere
@click.argument("path", shell_complete=completing.files)
@click.argument("name")
@click.option(
    "--for",
    "persona",
    metavar="PERSONA",
    shell_complete=completing.names,
    help="Have this persona speak through it from now on.",
)
@click.pass_obj
def expert_import(invocation: Invocation, path: str, name: str, persona: str | None) -> None:
    """Take the PEFT LoRA at PATH (a folder, or the .safetensors in it) into the world as the expert NAME.

    An adapter that is not whole, or not made for the base model, is refused, and nothing changes. A NAME that
    is there already gets the new content; whoever refers to it goes on to do so.
    """
    from cli.calls import experts
    from cli.render import experts as render_experts

    found = finish(experts.bring(home_of(invocation), path, name, persona), "brings the expert")
    invocation.result(found, render_experts.imported(found))


@expert.command("ls")
@everywhere
@click.pass_obj
def expert_ls(invocation: Invocation) -> None:
    """List the experts: cold in the world, warm in memory, or hot on the device."""
    from cli.calls import experts
    from cli.render import experts as render_experts

    found = finish(experts.listed(home_of(invocation)))
    invocation.result({"experts": found}, render_experts.experts(found))


@expert.command("activate")
@everywhere
@click.argument("name", shell_complete=completing.experts)
@click.pass_obj
def expert_activate(invocation: Invocation, name: str) -> None:
    """Bring the expert NAME to the device, where the one used longest ago makes room."""
    from cli.calls import experts
    from cli.render import experts as render_experts

    found = finish(experts.activate(home_of(invocation), name))
    invocation.result(found, render_experts.activated(found))


@expert.command("pin")
@everywhere
@click.argument("name", shell_complete=completing.experts)
@click.option("--off", is_flag=True, help="Let it go again.")
@click.pass_obj
def expert_pin(invocation: Invocation, name: str, off: bool) -> None:
    """Bring the expert NAME to the device and keep it there until it is let go.

    A restart does not end that, nor does an import under the same name: the new content takes the place of the old.
    """
    from cli.calls import experts
    from cli.render import experts as render_experts

    found = finish(experts.activate(home_of(invocation), name, pin=not off))
    invocation.result(found, render_experts.activated(found))


@expert.command("train")
@everywhere
@click.argument("name")
@click.option(
    "--text", metavar="FILE", shell_complete=completing.files, help="Learn to go on as this text does (UTF-8)."
)
@click.option(
    "--jsonl",
    metavar="FILE",
    shell_complete=completing.files,
    help='Learn answers: a line each, {"messages": [{"role", "content"}]} or {"prompt", "response"}.',
)
@click.option(
    "--for",
    "persona",
    metavar="PERSONA",
    shell_complete=completing.names,
    help="Have this persona speak through it from then on.",
)
@click.option("--rank", type=int, default=8, show_default=True, help="How much it can learn, and how large it is.")
@click.option("--epochs", type=int, default=3, show_default=True, help="How often every sample is seen.")
@click.option("--steps", type=int, default=0, metavar="N", help="Take so many steps instead.")
@click.option("--rate", type=float, default=1e-3, show_default=True, help="The learning rate at its highest.")
@click.option("--seed", type=int, default=0, show_default=True, help="The order in which the samples are learned.")
@click.option("--restart", is_flag=True, help="Begin anew where a training of this name was begun or is finished.")
@click.pass_obj
def expert_train(
    invocation: Invocation,
    name: str,
    text: str | None,
    jsonl: str | None,
    persona: str | None,
    rank: int,
    epochs: int,
    steps: int,
    rate: float,
    seed: int,
    restart: bool,
) -> None:
    """Train the expert NAME on the base model that runs, and import it.

    Ctrl-C stops it after the step at hand, and the same command goes on from there. A tenth of what it is given is held
    out; the loss on that is what tells whether it learns.
    """
    from cli.calls import training
    from cli.render import training as render_training

    file = text if text is not None else jsonl
    if file is None or (text is not None and jsonl is not None):
        raise click.UsageError("give either --text or --jsonl", ctx=click.get_current_context())
    wanted = training.Wanted(
        name=name,
        file=file,
        rows=text is None,
        persona=persona,
        rank=rank,
        epochs=epochs,
        steps=steps,
        rate=rate,
        seed=seed,
        restart=restart,
    )

    def tell(event: dict[str, Any]) -> None:
        if invocation.json:
            invocation.event(event, "")
        elif event["event"] == "data":
            invocation.progress(render_training.data(event))
        else:
            invocation.step(render_training.doing(event), render_training.step(event))

    found = finish(training.train(home_of(invocation), wanted, tell), "prepares the training")
    invocation.result(found, render_training.trained(found))
