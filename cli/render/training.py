"""A training as a person watches it: a bar on a terminal, elsewhere a line for each look at what was held out."""

from __future__ import annotations

import sys
from typing import Any

import click

from cli.values import printable


class Watcher:
    """Shows a training's events on standard error."""

    def __init__(self) -> None:
        self._bar: Any = None

    def tell(self, event: dict[str, Any]) -> str:
        """The line that `event` is worth; '' where the bar shows it, or nobody need be told."""
        if event["event"] == "data":
            return _data(event)
        known = _losses(event)
        if not sys.stderr.isatty():
            return f"step {event['step']} of {event['of']}: {known}" if event["held_out"] is not None else ""
        if self._bar is None:
            self._bar = click.progressbar(
                length=event["of"], label="training", file=sys.stderr, item_show_func=lambda text: text or ""
            )
        self._bar.update(event["step"] - self._bar.pos, known)
        return ""

    def end(self) -> None:
        """Leave the bar's line."""
        if self._bar is not None:
            self._bar.render_finish()
            click.echo(file=sys.stderr)


def trained(found: dict[str, Any]) -> str:
    training = found["training"]
    news = f"{printable(found['name'])} is trained in {training['steps']} steps"
    if training["held_out"] is not None:
        news += f", loss {training['held_out']:.3f} on what was held out"
    lines = [news, f"imported: rank {found['rank']}, {found['bytes'] / 1e6:.1f} MB, {found['sha256'][:12]}"]
    if found["persona"] is not None:
        lines.append(f"{printable(found['persona'])} has taken it up")
    return "\n".join(lines)


def _data(event: dict[str, Any]) -> str:
    line = f"{event['samples']} samples to learn, {event['held_out']} held out, {event['steps']} steps"
    if event["truncated"]:
        line += f"; {event['truncated']} rows are cut after {event['length']} tokens"
    return line


def _losses(event: dict[str, Any]) -> str:
    named = {"loss": event["loss"], "held out": event["held_out"]}
    return ", ".join(f"{name} {loss:.3f}" for name, loss in named.items() if loss is not None)
