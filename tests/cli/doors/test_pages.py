"""The configurations on the pages are ones: each is read as its program reads it, and the command in it opens a door."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

ROOT = Path(__file__).parents[3]


def blocks(page):
    found = re.findall(r"^ *```(json|toml|sh)\n(.*?)^ *```$", (ROOT / page).read_text(), flags=re.DOTALL | re.MULTILINE)
    return [(kind, text) for kind, text in found]


def commands(kind, text):
    """The commands that a configuration starts."""
    if kind == "sh":
        lines = [shlex.split(line, comments=True) for line in text.splitlines()]
        return [line[line.index("--") + 1 :] for line in lines if line[1:3] == ["mcp", "add"]]
    read = json.loads(text) if kind == "json" else tomllib.loads(text)
    (servers,) = read.values()
    return [
        door["command"] if isinstance(door["command"], list) else [door["command"], *door["args"]]
        for door in servers.values()
    ]


def configurations():
    pages = ["docs/mcp.md", "README.md"]
    return [
        command for page in pages for kind, text in blocks(page) if "mcp" in text for command in commands(kind, text)
    ]


def test_there_are_configurations_on_both_pages():
    assert len(configurations()) >= 7


@pytest.mark.parametrize("command", sorted({shlex.join(command) for command in configurations()}))
def test_each_command_opens_a_door(command, short_path):
    first, *words = shlex.split(command)
    assert first == "batos"
    door = StdioServerParameters(
        command=sys.executable,
        args=["-m", "cli.main", *words],
        env={**os.environ, "BATOS_HOME": str(short_path / "home")},
        cwd=ROOT,
    )

    async def opens():
        async with Client(door) as client:
            return [tool.name for tool in (await client.list_tools()).tools]

    assert "send" in asyncio.run(opens())
