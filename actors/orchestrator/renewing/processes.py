"""What the storage does for a newer form of the world, each in a process of its own: it alone knows files and backups.

`--home` stands first among their words, so that whoever stops the home stops them (ops/vitals.py).
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from protocol.errors import BatosError
from protocol.failure import Failure, raised_from
from protocol.home import Home


async def back_up(home: Home) -> dict[str, Any]:
    """Add a generation to the home's own backup, of which the newest alone stays."""
    return await _storage(home.root, "--backup", str(home.backup), "--own")


async def copy(home: Home) -> Home:
    """Make the home's rehearsal of that generation."""
    await _storage(home.root, "--rehearse")
    return Home(home.rehearsal)


async def walk(home: Home) -> int:
    """Load every object of a home's world that nobody has open, and look at each record; how many there are."""
    found = await _storage(home.root, "--walk")
    return int(found["objects"])


async def _storage(home: Path, *words: str) -> dict[str, Any]:
    """The last line of the storage's process, or the error that it is."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "actors.storage", "--home", str(home), *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, said = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    try:
        line: dict[str, Any] = json.loads(out.splitlines()[-1])
    except (IndexError, ValueError):
        last = (said.decode(errors="replace").strip().splitlines() or [f"exit code {child.returncode}"])[-1]
        raise BatosError("INTERNAL", f"the storage's process has died: {last[:300]}") from None
    if "error" in line:
        raise raised_from(msgspec.convert(line["error"], Failure))
    return line
