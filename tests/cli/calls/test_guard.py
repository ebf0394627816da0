from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import main

SIGNALLED = "def grow_(self, by):\n    self.width = self.width + by\n    self._p_changed = True\n"
UNSIGNALLED = "def grow_(self, by):\n    self.width = self.width + by\n    return self.width\n"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def files(tmp_path):
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(SIGNALLED)
    bad.write_text(UNSIGNALLED)
    return good, bad


def judged(capfd, *words):
    code = main(["guard", "--json", *map(str, words)])
    return code, [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_verdicts_and_exit_codes(capfd, files):
    good, bad = files
    assert judged(capfd, good) == (0, [{"id": str(good), "verdict": "accept", "violations": []}])
    code, (line,) = judged(capfd, bad)
    assert (code, line["verdict"], line["violations"][0]["rule"]) == (4, "reject", "COV001")
    assert line["violations"][0]["line"] == 2


def test_a_rejection_is_the_result_and_no_failure(capfd, files):
    assert main(["guard", str(files[1])]) == 4
    told = capfd.readouterr()
    assert "COV001" in told.out
    assert told.err == ""


def test_the_gate_can_be_chosen(capfd, files):
    assert judged(capfd, files[1], "--gate", "policy")[0] == 0


def test_many_sources_and_a_trial(capfd, tmp_path):
    rows = [
        {"id": "a", "code": "def one_(self):\n    return 1\n", "examples": [{"returns": 1}]},
        {"id": "b", "code": "def one_(self):\n    return 2\n", "examples": [{"returns": 1}]},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    code, lines = judged(capfd, "--jsonl", path, "--trial")
    assert (code, [(line["id"], line["verdict"]) for line in lines]) == (4, [("a", "accept"), ("b", "reject")])
    assert judged(capfd, "--jsonl", path)[0] == 0


def test_what_cannot_be_read(capfd, tmp_path):
    code, lines = judged(capfd, tmp_path / "none.py")
    assert (code, lines[-1]["error"]["code"]) == (2, "UNREADABLE")
    assert main(["guard", str(tmp_path / "none.py")]) == 2
    assert "UNREADABLE" in capfd.readouterr().err


def test_standard_input_where_another_folder_named_actors_stands(tmp_path):
    (tmp_path / "actors").mkdir()
    (tmp_path / "actors" / "__init__.py").write_text("raise SystemExit(99)")
    told = subprocess.run(
        [sys.executable, "-P", "-m", "cli.main", "guard", "-", "--json"],
        input=SIGNALLED,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, json.loads(told.stdout)["id"], told.stderr) == (0, "-", "")


def test_a_source_cannot_steer_the_terminal(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    path = tmp_path / "a\x1b[2Jb.py"
    path.write_text("def f_(self):\n    x = '\x1b[2J'\n    import os\n")
    assert main(["guard", str(path)]) == 4
    assert "\x1b" not in capfd.readouterr().out
