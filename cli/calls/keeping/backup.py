"""`backup` and `restore`: a process of the storage's does the work, which no running system is needed for."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable
from typing import Any, Final

import msgspec

from cli import moments
from cli.calls.guard import environment
from protocol.errors import BatosError
from protocol.failure import Failure, raised_from
from protocol.home import Home

MAX_LINE: Final = 64 << 20
"""Bytes of a line that is read: a list of generations has no other bound."""
_GENERATION: Final = re.compile(r"\d{8}T[0-9Z]*")
_TID: Final = re.compile(r"[0-9a-f]{16}")

Tell = Callable[[str], None]


async def backup(home: Home, folder: str, tell: Tell) -> dict[str, Any]:
    """Add a generation to the backup in `folder`; `tell` hears what is done."""
    return await _run(home, ["--backup", _given(folder)], tell)


async def generations(home: Home, folder: str) -> dict[str, Any]:
    """What `folder` holds."""
    return await _run(home, ["--list", _given(folder)], lambda _: None)


async def restore(home: Home, folder: str, at: str | None, tell: Tell) -> dict[str, Any]:
    """Make `home` of the newest generation, or of the one that `at` names: its name, or a moment that it is not newer than."""
    return await _run(home, ["--restore", _given(folder), *_chosen(at)], tell)


def _given(folder: str) -> str:
    if not folder:
        raise BatosError("USAGE", "the backup folder has no name", "Name one: batos backup DIR")
    return folder


def _chosen(at: str | None) -> list[str]:
    if at is None:
        return []
    word = at.strip()
    if _TID.fullmatch(word):
        return ["--tid", word]
    if _GENERATION.fullmatch(word):
        return ["--generation", word]
    return ["--until", repr(moments.seconds(word))]


async def _run(home: Home, words: list[str], tell: Tell) -> dict[str, Any]:
    """The last line of the storage's process. Killed with us or after us, it leaves what it has found."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        # The home comes last: `down` and `up` end whatever is of the home, which is known by its second word.
        *("-P", "-m", "actors.storage", *words, "--home", str(home.root)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(str(home.root)),
        limit=MAX_LINE,
        start_new_session=True,  # Ctrl-C reaches it through us alone
    )
    assert child.stdout is not None
    assert child.stderr is not None
    said = asyncio.create_task(child.stderr.read())
    line: dict[str, Any] = {}
    try:
        async for text in child.stdout:
            line = json.loads(text)
            if "event" in line:
                tell(line["does"])
        code = await child.wait()
    finally:
        if child.returncode is None:
            child.terminate()
            await child.wait()
        last = (await said).decode(errors="replace").strip().splitlines()
    if "error" in line:
        raise raised_from(msgspec.convert(line["error"], Failure))
    if code or "event" in line or not line:
        why = f": {last[-1][:300]}" if last else ""
        raise BatosError("INTERNAL", f"the storage's process has died ({code}){why}", "Run the command again.")
    return line
