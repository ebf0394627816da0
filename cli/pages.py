"""`python -m cli.pages` prints `docs/commands.md`: every command with its words and options, made from the commands themselves."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Final

import click

from cli.commands import batos
from protocol.errors import CODES

_HEAD: Final = """# Commands

Made from the commands by `python -m cli.pages`; a test says that this page is what they say. `batos COMMAND --help` says the
same. [README.md](../README.md) shows the commands at work."""


def commands(command: click.Command = batos, path: tuple[str, ...] = ("batos",)) -> Iterator[tuple[str, click.Command]]:
    """Each command and group under its full name, in alphabetical order."""
    yield " ".join(path), command
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            yield from commands(inner, (*path, name))


def page() -> str:
    """`docs/commands.md`."""
    everywhere = _shared()
    lines = [_HEAD, "", "Every command takes these, before or after its own words:", "", *_options(batos, everywhere)]
    lines += ["", _exits()]
    for name, command in commands():
        if command is batos:
            continue
        lines += ["", f"## {name}", "", "```", f"{name} {' '.join(_words(command))}".rstrip(), "```", ""]
        lines += inspect.cleandoc(command.help or "").splitlines()
        own = [option for option in _named(command) if option not in everywhere]
        if own:
            lines += ["", *_options(command, own)]
    return "\n".join(lines) + "\n"


def _exits() -> str:
    numbers = sorted({0, *(code.exit_code for code in CODES.values())})
    return (
        f"Exit codes are {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}; which error has which one stands in"
        " [protocol.md](protocol.md#errors)."
    )


def _named(command: click.Command) -> list[str]:
    return [max(option.opts, key=len) for option in command.params if isinstance(option, click.Option)]


def _shared() -> list[str]:
    """The options that all commands have."""
    return [name for name in _named(batos) if all(name in _named(command) for _, command in commands())]


def _words(command: click.Command) -> list[str]:
    if isinstance(command, click.Group):
        return [" | ".join(sorted(command.commands))]
    pieces = [option for option in command.collect_usage_pieces(click.Context(command)) if option != "[OPTIONS]"]
    return ["[OPTIONS]", *pieces] if len(_named(command)) > len(_shared()) else pieces


def _options(command: click.Command, names: list[str]) -> list[str]:
    lines = ["| option | |", "|---|---|"]
    context = click.Context(command)
    for option in command.params:
        if isinstance(option, click.Option) and max(option.opts, key=len) in names:
            record = option.get_help_record(context)
            assert record is not None, f"{command.name}: {option.name} is hidden"
            shown, text = (part.replace("|", "\\|") for part in record)
            lines.append(f"| `{shown}` | {text} |")
    return lines


if __name__ == "__main__":
    sys.stdout.write(page())
