"""The kernel's limits, each in a process of its own: a hard limit cannot be raised again."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from ops.limits import LIMITS
from protocol.home import Home

SCRIPT = """
import resource, sys
from pathlib import Path
from ops import limits
from ops.supervisor import launch
from protocol.errors import BatosError
from protocol.home import Home
number, soft, hard = map(int, sys.argv[1:4])
resource.setrlimit(number, (soft, hard))
try:
    if sys.argv[4:]:
        launch(Home(Path(sys.argv[4])))
    limits.check()
    limits.widen()
    print(*resource.getrlimit(number))
except BatosError as error:
    print(error, error.hint)
"""


def said(*words: object) -> str:
    root = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, words)],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize(
    ("limit", "command"), list(zip(LIMITS, ["ulimit -n 256", "ulimit -u 256", "ulimit -f 1048576"], strict=True))
)
def test_one_that_is_too_low_is_named_with_its_value_and_the_command(short_path, limit, command):
    low = limit.needed // 2
    text = said(limit.number, low, low, short_path)
    assert f"LIMIT: {limit.name} allows {low} {limit.what}" in text
    assert command in text
    assert list(Home(short_path).root.iterdir()) == [], "nothing was started"


def test_a_soft_one_is_raised_as_far_as_it_may_be():
    assert said(resource.RLIMIT_NOFILE, 128, 1024).split() == ["1024", "1024"]
