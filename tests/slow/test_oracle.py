"""The amnesia oracle with a million methods, on both cores. `BATOS_ORACLE_METHODS` names another number.

About a quarter of an hour on two idle cores.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

METHODS = int(os.environ.get("BATOS_ORACLE_METHODS", "1000000"))
SEEDS = (1_000_001, 1_000_002)
ROOT = Path(__file__).parents[2]


def test_of_a_million_none_forgets():
    command = [sys.executable, "-m", "bench.amnesia", "--json", "--methods", str(METHODS // len(SEEDS)), "--seed"]
    running = [subprocess.Popen([*command, str(seed)], cwd=ROOT, stdout=subprocess.PIPE) for seed in SEEDS]
    counts = [json.loads(process.communicate()[0]) for process in running]
    assert sum(count["methods"] for count in counts) == METHODS // len(SEEDS) * len(SEEDS)
    assert [source for count in counts for source in count["amnesic"]] == []
    assert [source for count in counts for source in count["silent"]] == []
