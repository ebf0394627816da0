"""`python -m actors.guardian guard`, as a process: lines, and exit codes."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[4]
GOOD = "def area_(self):\n    return self.w * self.h\n"
BAD = "def put_(self, x):\n    self.x = x\n"


def guard(*words: str, text: str | bytes = "") -> tuple[int, list[dict[str, Any]]]:
    data = text.encode() if isinstance(text, str) else text
    done = subprocess.run(
        [sys.executable, "-m", "actors.guardian", "guard", *words],
        input=data,
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def rows(*all_: dict[str, Any]) -> str:
    return "\n".join(map(json.dumps, all_)) + "\n"


def test_one_file(tmp_path: Path):
    path = tmp_path / "m.py"
    path.write_text(BAD)
    code, lines = guard(str(path))
    assert code == 4
    (line,) = lines
    assert (line["id"], line["verdict"]) == (str(path), "reject")
    assert [(violation["rule"], violation["line"]) for violation in line["violations"]] == [("COV001", 2)]
    assert guard(str(path), "--gate", "policy")[0] == 0


def test_standard_input():
    assert guard("-", text=GOOD) == (0, [{"id": "-", "verdict": "accept", "violations": []}])


def test_many_rows_keep_their_order():
    ids = list(range(150))
    code, lines = guard("--jsonl", "-", text=rows(*({"id": n, "code": BAD if n % 7 == 0 else GOOD} for n in ids)))
    assert code == 4
    assert [line["id"] for line in lines] == ids
    assert [line["id"] for line in lines if line["verdict"] == "reject"] == ids[::7]


def test_trial():
    passing = {"slots": {"w": 2, "h": 3}, "returns": 6}
    failing = {"slots": {"w": 2, "h": 4}, "returns": 6}
    loop = "def m_(self):\n    while True:\n        pass\n"
    code, lines = guard(
        "--jsonl",
        "-",
        "--trial",
        text=rows(
            {"id": "a", "code": GOOD, "examples": [passing]},
            {"id": "b", "code": GOOD, "examples": [passing, failing]},
            {"id": "c", "code": loop},
            {"id": "d", "code": GOOD, "slots": {"w": 1, "h": 1}},
        ),
    )
    assert code == 4
    assert [(line["id"], line["verdict"]) for line in lines] == [
        ("a", "accept"),
        ("b", "reject"),
        ("c", "reject"),
        ("d", "accept"),
    ]
    assert [case["passed"] for case in lines[1]["cases"]] == [True, False]
    assert lines[1]["violations"][0]["rule"] == "TRIAL_RESULT"
    assert lines[2]["outcome"]["error"] == "LIMIT_TIME"
    assert lines[3]["outcome"]["end"] == "done"


def hostile() -> list[dict[str, Any]]:
    bodies = {
        "long": "return 1 << 60000",
        "longer": "return 1 << 70000",
        "key": "return {10 ** 5000: 1}",
        "text": "return str(10 ** 5000)",
        "raised": "raise ValueError(10 ** 5000)",
        "missing": "{}[10 ** 50000]",
        "deep": "v = []\n    for _ in range(990):\n        v = [v]\n    raise ValueError(v)",
        "nested": "v = []\n    for _ in range(990):\n        v = [v]\n    return v",
        "surrogate": "return chr(0xD800)",
        "infinite": "return [math.nan, math.inf]",
        "address": "raise ValueError(self, lambda: 0)",
        "slot": "self.x = [1 << 60000] * 200\n    self._p_changed = True\n    return self.x[0]",
        "wide": "return ['x' * 1000] * 1000",
    }
    return [{"id": name, "code": f"def m_(self):\n    {body}\n"} for name, body in bodies.items()]


def test_nothing_that_a_method_does_costs_the_others_their_verdict():
    """A good one stands behind each; the long number is what one of them is asked for."""
    asked = [{**row, "examples": [{"returns": 1 << 60000}, {"slots": {"q": 1}, "returns": 5}]} for row in hostile()]
    good = {"code": GOOD, "examples": [{"slots": {"w": 2, "h": 3}, "returns": 6}]}
    batch = [one for row in asked for one in (row, {"id": f"after {row['id']}", **good})]
    code, lines = guard("--jsonl", "-", "--trial", text=rows(*batch))
    assert code == 4
    assert [line["id"] for line in lines] == [row["id"] for row in batch]
    assert {line["verdict"] for line in lines[::2]} == {"reject"}
    assert {line["verdict"] for line in lines[1::2]} == {"accept"}
    assert [case["passed"] for case in lines[0]["cases"]] == [True, False]
    assert all(len(case["message"]) < 1000 for line in lines for case in line["cases"])
    assert [word for word in ("Ref(", " at 0x") if word in json.dumps(lines)] == [], "no OID and no address"


def test_examples_of_a_megabyte_each():
    megabyte = "x" * 1_000_000
    large = [{"slots": {"w": 2, "h": n, "x": megabyte}, "returns": 2 * n} for n in range(9)]
    nine = {f"x{n}": megabyte for n in range(9)}
    first = {"id": 1, "code": GOOD, "examples": large}
    second = {"id": 2, "code": GOOD, "examples": [{"slots": {**nine, "w": 1, "h": 1}, "returns": 1}]}
    code, lines = guard("--jsonl", "-", "--trial", text=rows(first, second, {"id": 3, "code": GOOD}))
    assert (code, [line["verdict"] for line in lines]) == (4, ["accept", "reject", "accept"])
    assert "TOO_LARGE" in lines[1]["violations"][0]["message"]


@pytest.mark.parametrize(
    ("text", "code", "seen"),
    [
        (rows({"id": 1, "code": GOOD}) + "{nonsense\n", "BAD_JSON", 1),
        (rows({"id": 1}), "BAD_JSON", 0),
        ("[1]\n", "BAD_JSON", 0),
        (b'{"id": 1, "code": "\xff"}\n', "UNREADABLE", 0),
        (rows({"id": 1, "code": GOOD, "examples": [{}]}), "BAD_EXAMPLE", 0),
        (rows({"id": 1, "code": GOOD, "examples": [{"what": 1}]}), "BAD_EXAMPLE", 0),
        (rows({"id": 1, "code": GOOD, "slots": [1]}), "BAD_JSON", 0),
        ("[" * 100_000 + "\n", "BAD_JSON", 0),
    ],
)
def test_what_cannot_be_read(text: str | bytes, code: str, seen: int):
    status, lines = guard("--jsonl", "-", text=text)
    assert status == 2
    assert len(lines) == seen + 1
    assert lines[-1]["error"]["code"] == code


@pytest.mark.parametrize("command", [["-m", "actors.guardian"], ["-m", "cli.main"]], ids=["guardian", "batos"])
def test_a_line_is_out_before_the_next_row_is_in(command: list[str]):
    more = ["--json"] if "cli.main" in command else []
    words = [sys.executable, *command, "guard", "--jsonl", "-", *more]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        for n, code in enumerate([GOOD, BAD, GOOD]):
            process.stdin.write(rows({"id": n, "code": code}).encode())
            process.stdin.flush()
            assert select.select([process.stdout], [], [], 60)[0]
            line = json.loads(process.stdout.readline())
            assert (line["id"], line["verdict"]) == (n, "reject" if code == BAD else "accept")
        process.stdin.close()
        assert process.wait(60) == 4


def test_input_without_end_is_not_held():
    """Rows keep coming, far more than may be held: lines come out, and the reader waits for room."""
    row = rows({"id": 1, "code": GOOD + "#" * 30_000}).encode()
    with subprocess.Popen(
        [sys.executable, "-m", "actors.guardian", "guard", "--jsonl", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        for _ in range(3000):
            process.stdin.write(row)
            if select.select([process.stdout], [], [], 0)[0]:
                break
        assert json.loads(process.stdout.readline())["id"] == 1
        held = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * 4096
        process.kill()
    assert held < 200 << 20


def test_no_such_file(tmp_path: Path):
    status, lines = guard(str(tmp_path / "none.py"))
    assert status == 2
    assert lines[0]["error"]["code"] == "UNREADABLE"
    assert guard()[0] == 2
    assert guard("a", "--jsonl", "b")[0] == 2


def test_it_imports_nothing_heavy():
    told = subprocess.run(
        [sys.executable, "-c", "import sys, actors.guardian.command.guard; print(*sys.modules)"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert not {"zmq", "torch", "structlog", "ZODB", "click"} & set(told.stdout.split())
