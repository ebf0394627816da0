"""A training as a person watches it: a bar on a terminal, elsewhere a line for each look at what was held out."""

from __future__ import annotations

from typing import Any

from cli.live import Doing
from cli.values import printable


def doing(event: dict[str, Any]) -> Doing:
    """How far it is, for the line that lives."""
    return Doing(f"trains: {_losses(event)}", event["step"], event["of"])


def step(event: dict[str, Any]) -> str:
    """A line for each look at what was held out; '' for the steps between."""
    return f"step {event['step']} of {event['of']}: {_losses(event)}" if event["held_out"] is not None else ""


def trained(found: dict[str, Any]) -> str:
    training = found["training"]
    news = f"{printable(found['name'])} is trained in {training['steps']} steps"
    if training["held_out"] is not None:
        news += f", loss {training['held_out']:.3f} on what was held out"
    lines = [news, f"imported: rank {found['rank']}, {found['bytes'] / 1e6:.1f} MB, {found['sha256'][:12]}"]
    if found["persona"] is not None:
        lines.append(f"{printable(found['persona'])} has taken it up")
    return "\n".join(lines)


def data(event: dict[str, Any]) -> str:
    line = f"{event['samples']} samples to learn, {event['held_out']} held out, {event['steps']} steps"
    if event["truncated"]:
        line += f"; {event['truncated']} rows are cut after {event['length']} tokens"
    return line


def _losses(event: dict[str, Any]) -> str:
    named = {"loss": event["loss"], "held out": event["held_out"]}
    return ", ".join(f"{name} {loss:.3f}" for name, loss in named.items() if loss is not None)
