"""`batos demo` is what a stranger runs first."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.e2e
@pytest.mark.model
def test_the_demo_shows_all_its_steps():
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "demo", "--json"], capture_output=True, text=True, timeout=400, check=False
    )
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["ok"], result
    assert done.returncode == 0
    assert [step["name"] for step in result["steps"]] == ["synthesize", "reuse", "refuse", "crash", "restart"]
    assert all(step["ok"] and step["detail"] for step in result["steps"])
