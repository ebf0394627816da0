"""What supervisord's children are born with: their files are private, and their environment holds what they need."""

from __future__ import annotations

import json
import os
import select
import signal
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops import house
from ops.supervisor import Supervisor, launch
from protocol.errors import BatosError
from protocol.home import Home

CONFIG = """
[supervisord]
nodaemon = true
silent = true
logfile = log/supervisord.log
pidfile = run/supervisord.pid
childlogdir = log
environment = FROM_THE_FILE="1"

[unix_http_server]
file = run/supervisor.sock

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""
PROGRAM = """
[program:{name}]
command = {python} -c "import json, os, time; open('{name}.new', 'w').write(json.dumps(dict(os.environ))); os.rename('{name}.new', '{name}.json'); print('up', flush=True); time.sleep(600)"
stdout_logfile = log/{name}.log
"""


@pytest.fixture
def environments(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Home, dict[str, Any]]]:
    """The environments of two programs of a home, by name."""
    for name in ("BATOS_API_KEY", "GITHUB_TOKEN", "HTTPS_PROXY", "HF_HOME"):
        monkeypatch.setenv(name, f"the {name}")
    home = Home(short_path / "home")
    home.root.mkdir(mode=0o755)
    config = short_path / "small.conf"
    programs = (PROGRAM.format(name=name, python=sys.executable) for name in ("inference", "memory"))
    config.write_text(CONFIG + "".join(programs))
    assert launch(home, config)
    files = {name: home.root / f"{name}.json" for name in ("inference", "memory")}
    until = time.monotonic() + 60
    while not all(file.exists() for file in files.values()):
        assert time.monotonic() < until, (home.log / "house.log").read_text()
        time.sleep(0.02)
    yield home, {name: json.loads(file.read_text()) for name, file in files.items()}
    supervisor = Supervisor(home)
    while supervisor.pid() is not None:
        try:
            supervisor.shutdown()
        except BatosError:
            time.sleep(0.1)


def test_programs_inherit_what_they_need_and_the_key_is_inferences(
    environments: tuple[Home, dict[str, dict[str, str]]],
) -> None:
    home, found = environments
    for environment in found.values():
        assert environment["HF_HOME"] == "the HF_HOME"
        assert environment["FROM_THE_FILE"] == "1"
        assert environment["BATOS_PYTHON"]
        assert "PATH" in environment
        assert not {"GITHUB_TOKEN", "HTTPS_PROXY"} & set(environment)
    assert found["inference"]["BATOS_API_KEY"] == "the BATOS_API_KEY"
    assert "BATOS_API_KEY" not in found["memory"]
    files = [path for path in home.root.rglob("*") if not path.is_symlink()]
    assert {path.name for path in files} >= {"inference.json", "memory.log", "supervisord.log", "supervisor.sock"}
    assert [path for path in (home.root, *files) if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_a_signal_wakes_supervisord_for_two_rounds() -> None:
    """In the first one it sees the end of a process, in the second one it starts the next."""
    handler = signal.signal(signal.SIGUSR1, lambda *_: None)
    bell = house._Bell()
    try:
        rounds = 0
        os.kill(os.getpid(), signal.SIGUSR1)
        while select.select([bell.inlet] if bell.readable() else [], [], [], 0)[0]:
            bell.handle_read_event()
            rounds += 1
        assert rounds == 2
        assert not bell.writable()
    finally:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGUSR1, handler)
        os.close(bell.inlet)
        os.close(bell._outlet)
