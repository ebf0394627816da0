"""How many cores and how much memory are free to us, by files as the kernel writes them."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest
import torch

import actors.inference
from actors.inference.model import allowance
from actors.inference.model.device import limit_threads

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
MEMINFO = "MemTotal:  16000 kB\nMemFree:  1000 kB\nMemAvailable:  8000 kB\n"
FREE = 8000 * 1024


def written(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def affinity(monkeypatch):
    """Says how many cores we may run on."""

    def allow(number):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(number)), raising=False)

    return allow


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 8),
        ({"cpu.max": "max 100000\n"}, 8),
        ({"cpu.max": "300000 100000\n"}, 3),
        ({"cpu.max": "250000 100000\n"}, 2),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "9900000 100000\n"}, 8),
        ({"cpu.max": "0 100000\n"}, 8),
        ({"cpu.max": "300000 0\n"}, 8),
        ({"cpu.max": ""}, 8),
        ({"cpu.max": "three 100000\n"}, 8),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        ({"cpu.max": "max 100000\n", "cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
    ],
)
def test_the_cores_are_those_that_we_may_run_on_within_our_quota(tmp_path, affinity, files, cores):
    affinity(8)
    assert allowance.cores(written(tmp_path, files)) == cores


def test_a_machine_without_affinity_is_counted(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    for counted, cores in ((6, 6), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda counted=counted: counted)
        assert allowance.cores(tmp_path) == cores


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, FREE),
        ({"memory.max": "max\n", "memory.current": "5\n"}, FREE),
        ({"memory.max": "1000000\n", "memory.current": "400000\n"}, 600_000),
        ({"memory.max": "1000000\n"}, 1_000_000),
        ({"memory.max": "1000000\n", "memory.current": "1400000\n"}, 0),
        ({"memory.max": "99000000000\n", "memory.current": "0\n"}, FREE),
        ({"memory/memory.limit_in_bytes": "700000\n", "memory/memory.usage_in_bytes": "100000\n"}, 600_000),
    ],
)
def test_the_memory_is_what_can_be_had_within_our_groups_limit(tmp_path, files, free):
    folder = written(tmp_path, {"meminfo": MEMINFO, **files})
    assert allowance.memory(folder, folder / "meminfo") == free


def test_a_machine_that_does_not_say_what_is_free_is_asked_for_its_pages(tmp_path):
    assert (
        0 < allowance.memory(tmp_path, tmp_path / "meminfo") <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    )


def test_this_machine_has_a_core_and_memory():
    assert 1 <= allowance.cores() <= CORES
    assert allowance.memory() > 0


@pytest.mark.parametrize(
    ("wanted", "of_torch", "cores", "threads"),
    [(0, 16, 2, 2), (0, 1, 2, 1), (3, 16, 8, 3), (3, 1, 8, 3), (64, 16, 2, 2)],
)
def test_there_are_never_more_threads_than_cores(monkeypatch, wanted, of_torch, cores, threads):
    said = []
    monkeypatch.setattr(allowance, "cores", lambda: cores)
    monkeypatch.setattr(torch, "get_num_threads", lambda: of_torch)
    monkeypatch.setattr(torch, "set_num_threads", said.append)
    limit_threads(wanted)
    assert said == [threads]


def test_threads_wait_without_spinning_unless_somebody_says_otherwise(monkeypatch):
    monkeypatch.delenv(actors.inference.WAITING, raising=False)
    importlib.reload(actors.inference)
    assert os.environ[actors.inference.WAITING] == "passive"
    monkeypatch.setenv(actors.inference.WAITING, "active")
    importlib.reload(actors.inference)
    assert os.environ[actors.inference.WAITING] == "active"


def test_how_threads_wait_is_said_before_torch_is_there_to_hear_it():
    said = "import sys, os, actors.inference as one; print(os.environ[one.WAITING], 'torch' in sys.modules)"
    rest = {name: value for name, value in os.environ.items() if name != actors.inference.WAITING}
    done = subprocess.run([sys.executable, "-c", said], env=rest, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["passive", "False"]


def test_the_pages_of_files_that_a_group_has_read_are_free_to_it(tmp_path):
    stat = "anon 1000\ninactive_file 300\nactive_file 200\n"
    group = written(tmp_path / "v2", {"memory.max": "5000\n", "memory.current": "4000\n", "memory.stat": stat})
    assert allowance.memory(group, written(tmp_path, {"meminfo": MEMINFO}) / "meminfo") == 1500
    old = "inactive_file 1\nactive_file 1\ntotal_inactive_file 30\ntotal_active_file 20\n"
    names = {"limit_in_bytes": "5000\n", "usage_in_bytes": "4000\n"}
    files = {f"memory/memory.{name}": text for name, text in names.items()} | {"memory/memory.stat": old}
    assert allowance.memory(written(tmp_path / "v1", files), tmp_path / "meminfo") == 1050


@pytest.mark.parametrize(
    ("cores", "quota", "physical"), [([0, 0, 1, 1], "max", 2), ([0, 1, 2, 3], "200000", 2), ([], "max", 4)]
)
def test_two_threads_of_a_core_are_one(tmp_path, affinity, cores, quota, physical):
    affinity(4)
    places = {
        f"cpu{n}/topology/{name}": f"{value}\n"
        for n, core in enumerate(cores)
        for name, value in (("core_id", core), ("physical_package_id", 0))
    }
    group = written(tmp_path / "group", {"cpu.max": f"{quota} 100000\n"})
    assert allowance.physical_cores(group, written(tmp_path / "cpu", places)) == physical
