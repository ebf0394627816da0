"""A next step, as an agent reads it that has tools and no terminal."""

from __future__ import annotations

import pytest

from cli.doors.mcp.failures import step
from cli.doors.mcp.offered import tools_for

TOOLS = tools_for(may_install=False).keys()


@pytest.mark.parametrize(
    ("hint", "told"),
    [
        ("Make it: `batos new jug slot=json …`.", "Make it: the tool `new`."),
        ("See them: `batos --home /tmp/w history box`.", "See them: the tool `history`."),
        ("`batos ls` lists them.", "the tool `objects` lists them."),
        ("Say with one more --example what is right.", "Say with one more `examples` what is right."),
        ("Use a key once; leave --key away.", "Use a key once; leave `key` away."),
        ("Give it more time (--timeout).", "Give it more time (`seconds`)."),
        ("Leave it with --drop-contract.", "Leave it with `drop_contract`."),
    ],
)
def test_commands_and_options_become_tools_and_arguments(hint, told):
    assert step(hint, TOOLS) == told


@pytest.mark.parametrize(
    "hint",
    [
        "",
        "`batos accept 12ab` lets it stand.",
        "Start it: batos up",
        "They start `batos mcp --allow install`.",
        "a --b-c",
    ],
)
def test_what_this_door_has_no_tool_for_stays_for_the_user(hint):
    assert step(hint, TOOLS) == hint


def test_a_door_that_may_install_has_a_tool_for_that_too():
    assert step("`batos accept 12ab`", tools_for(may_install=True).keys()) == "the tool `accept`"
