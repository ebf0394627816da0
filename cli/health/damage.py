"""What `doctor --deep` adds: each record of the world and each page of the journal is read, by code of the actor that knows its form."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

from cli.calls.guard import environment
from cli.health.findings import Check
from protocol.home import Home

_READERS: Final = {"world": "actors.storage", "journal": "actors.orchestrator"}
_REMEDY: Final = "Stop the system (batos down), keep a copy of the file, and restore a backup of the home."


def damage(home: Home) -> list[Check]:
    """One line for the world and one for the journal; the first of what was found, and how many there are."""
    return [_read(home, kind, module) for kind, module in _READERS.items()]


def _read(home: Home, kind: str, module: str) -> Check:
    command = [sys.executable, "-P", "-m", module, "--home", str(home.root), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(None))  # noqa: S603 - ours
    name = f"{kind}, whole"
    try:
        found: list[str] = json.loads(done.stdout.splitlines()[-1])[kind]
    except (IndexError, KeyError, ValueError):
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return Check(name=name, ok=False, detail=f"it could not be read: {said[-1][:500]}", hint=_REMEDY)
    if not found:
        return Check(name=name, ok=True, detail="nothing is damaged")
    file = home.database if kind == "world" else home.journal
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return Check(name=name, ok=False, detail=f"{file}: {found[0]}{more}", hint=_REMEDY)
