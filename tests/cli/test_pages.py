"""The page of the commands is made from the commands, and each of them can be asked for help."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from cli import pages
from cli.main import main

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
COMMANDS = dict(pages.commands())


def test_the_page_is_what_the_commands_say():
    assert PAGE.read_text() == pages.page(), "make it anew: make pages"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_says_what_it_does(name):
    assert COMMANDS[name].help
    options = [option for option in COMMANDS[name].params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help or option.hidden] == []
    if name != "batos":
        assert f"## {name}\n" in PAGE.read_text()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, capsys):
    assert main([*name.split()[1:], "--help"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"Usage: {name} ")
    assert said.err == ""
