"""What stands in a log file: one JSON object a line, whoever wrote it."""

from __future__ import annotations

import json
import subprocess
import sys

SCRIPT = """
import logging, warnings
from bus.process import logs
log = logs.configure("inference")
log.info("hello", cycle="c1", ünï="✓")
import threading
thread = threading.Thread(target=lambda: logging.getLogger("ZEO").warning("old %s", "way"))
thread.start()
thread.join()
warnings.warn("careful")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("it broke")
deep = []
for _ in range(10_000):
    deep = [deep]
log.info("odd", long=10**30000, none=float("nan"), deep=deep, keys={(1, 2): b"x"}, torn="\\ud800")
"""


def test_every_line_is_json_with_service_level_and_time() -> None:
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, encoding="utf-8")
    lines = [json.loads(line) for line in ran.stderr.splitlines()]
    assert [line["level"] for line in lines] == ["info", "warning", "warning", "error", "info"]
    assert all(line["service"] == "inference" and line["timestamp"].endswith("Z") for line in lines)
    assert (lines[0]["event"], lines[0]["cycle"], lines[0]["ünï"]) == ("hello", "c1", "✓")
    assert lines[1]["event"] == "old way"
    assert "careful" in lines[2]["event"]
    assert "ZeroDivisionError" in lines[3]["exception"]
    odd = lines[4]
    assert (odd["event"], odd["long"], odd["none"]) == ("odd", "<an integer of 99658 bits>", "nan")
    assert (odd["keys"], odd["torn"]) == ("{(1, 2): b'x'}", "\ud800")
