"""How an actor's process begins and ends."""

from __future__ import annotations

import json

import pytest

from bus.process.program import main
from protocol.errors import BatosError


def test_it_runs_for_the_home_that_it_is_given(tmp_path):
    seen = []

    async def run(home):
        seen.append(home.root)

    assert main("memory", run, ["--home", str(tmp_path)]) == 0
    assert seen == [tmp_path]


def test_what_ends_it_is_logged_and_decides_the_exit_code(tmp_path, capsys):
    async def run(_home):
        raise BatosError("HOME_HELD", "somebody has it", "Stop that one.")

    assert main("memory", run, ["--home", str(tmp_path)]) == 3
    said = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (said["service"], said["code"], said["hint"]) == ("memory", "HOME_HELD", "Stop that one.")


def test_without_a_home_it_does_not_begin(capsys):
    async def run(_home):
        raise AssertionError

    with pytest.raises(SystemExit):
        main("memory", run, [])
    assert "--home" in capsys.readouterr().err
