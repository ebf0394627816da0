"""What a process has given up, as the kernel shows it: each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SHOW = """
import json, os, sys
from pathlib import Path
from bus.process import powers
powers.lay_down({how})
Path(sys.argv[1]).write_text("x")
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
shown = {{key: int(status[key], 16) for key in ("CapPrm", "CapEff", "CapBnd", "CapAmb", "CapInh")}}
shown["NoNewPrivs"] = int(status["NoNewPrivs"])
print(json.dumps(shown))
print(os.getpid(), flush=True)
sys.stdin.read()
"""


def begun(path, how=""):
    command = [sys.executable, "-c", SHOW.format(how=how), str(path)]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "SECRET": "s"}
    )


def shown(process):
    line = json.loads(process.stdout.readline())
    process.stdout.readline()
    return line


def bits(numbers):
    return sum(1 << number for number in numbers)


@pytest.mark.parametrize(("how", "allowed", "new"), [("", {1, 2, 3}, 1), ("keep={5, 21}, new_powers=True", {5, 21}, 0)])
def test_powers_are_gone_but_for_the_named_ones(tmp_path, how, allowed, new):
    with begun(tmp_path / "file", how) as process:
        found = shown(process)
        process.stdin.close()
    assert found["CapPrm"] & ~bits(allowed) == found["CapEff"] & ~bits(allowed) == 0
    assert found["CapAmb"] == found["CapInh"] == 0
    assert found["NoNewPrivs"] == new
    if os.geteuid() == 0:
        assert found["CapBnd"] & ~bits(allowed) == 0, "a program that root starts gets what stands in here"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


BECOME_NOBODY = """
import os, sys
from bus.process import powers
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
powers._prctl(powers._PR_SET_DUMPABLE, 1)  # changing the user has shut it
{then}
print("begun", flush=True)
sys.stdin.read()
"""
LOOK = "import os, sys; os.setresgid(*[65534] * 3); os.setresuid(*[65534] * 3); print(len(open(f'/proc/{sys.argv[1]}/environ').read()))"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become the same ordinary user twice")
@pytest.mark.parametrize(("then", "seen"), [("", True), ("powers.lay_down()", False)])
def test_its_memory_is_shut_for_another_process_of_the_same_user(then, seen):
    command = [sys.executable, "-c", BECOME_NOBODY.format(then=then)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        watching = [sys.executable, "-c", LOOK, str(process.pid)]
        watcher = subprocess.run(watching, capture_output=True, text=True, check=False)
        process.kill()
    assert ("PermissionError" not in watcher.stderr) == seen, watcher.stderr


TWICE = """
import subprocess, sys
from bus.process import powers
powers.lay_down()
again = "from bus.process import powers; powers.lay_down(); print('laid down')"
print(subprocess.run([sys.executable, "-c", again], capture_output=True, text=True, check=False).stdout)
"""


def test_a_process_that_one_without_powers_starts_lays_down_what_is_left():
    done = subprocess.run([sys.executable, "-c", TWICE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["laid", "down"]
