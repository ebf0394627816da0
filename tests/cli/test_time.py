"""Every command of docs/time.md is run, in the page's order, against a real system, and does what the page says of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.model]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "time.md"
END = "@@@ end of a line @@@"
COMMAND = re.compile(r"^    \$ (.+)$", flags=re.MULTILINE)


@pytest.fixture
def shell(whole, tmp_path):
    """Run lines in one shell: for each of them the last line that it has printed."""
    batos = tmp_path / "batos"
    batos.write_text(f'#!/bin/sh\nexec {sys.executable} -m cli.main "$@" --json\n')
    batos.chmod(0o755)
    environment = {**whole.environment, "PATH": f"{tmp_path}:{whole.environment['PATH']}", "PYTHONPATH": str(ROOT)}

    def run(lines):
        script = "".join(f'{line} || exit 9\necho "{END}"\n' for line in lines)
        done = subprocess.run(
            ["bash", "-c", script], env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, (done.stdout[-2000:], done.stderr)
        return [part.strip().rpartition("\n")[2] for part in done.stdout.split(END)[:-1]]

    return run


def test_every_command_of_the_page_does_what_it_says(shell, whole):
    lines = COMMAND.findall(PAGE.read_text())
    said = [(line, json.loads(out)) for line, out in zip(lines, shell(lines), strict=True) if out]
    assert len(said) >= 15
    by = dict(said)
    log = by["batos log"]["commits"]
    assert [one["why"] for one in log[:3]] == ["define box", "set box width", "new box"]
    (area,) = next(one for one in by['batos diff "$then"']["objects"] if one["name"] == "box")["methods"]
    assert "+def area_(self): return self.width * self.height" in area["diff"]
    planned, first, second, *_ = (result for line, result in said if line.startswith("batos undo last"))
    assert (planned["undone"], planned["tid"]) == ([log[0]["tid"]], None)
    assert first["undone"] == [log[0]["tid"]]
    assert second["undone"] == [first["tid"]]
    assert whole.ok("send", "box", "area_")["result"] == 32
    code, refused = whole.run("undo", "nothing")
    assert (code, refused["error"]["code"]) == (2, "UNKNOWN_CYCLE")
