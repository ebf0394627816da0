"""`model check`: inference's own look at a model, in a process of its own, since the command imports no actor."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, Final

import msgspec

from cli.calls.guard import environment
from protocol.errors import BatosError
from protocol.failure import Failure, raised_from
from protocol.home import Home

MODULE: Final = "actors.inference.command"
CHECK_S: Final = 300.0
"""A look that takes longer has hung: a disk or a server that answers neither yes nor no."""


async def check(home: Home, named: str) -> dict[str, Any]:
    """What the model `named` (a path, an address, or `embedded`) is, and what it would be here.

    UNREADABLE, BAD_CONFIG, NOT_READY, OUT_OF_MEMORY say what keeps it from being used; TIMEOUT.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", MODULE, "check", "--home", str(home.root), "--", named),
        stdout=asyncio.subprocess.PIPE,
        env=environment(str(home.root)),
    )
    try:
        told, _ = await asyncio.wait_for(child.communicate(), CHECK_S)
    except TimeoutError:
        raise BatosError("TIMEOUT", f"{named} was looked at for {CHECK_S:g} s without an end", "Try again.") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    try:
        found: dict[str, Any] = json.loads(told)
    except ValueError:
        hint = "What it wrote above says more."
        raise BatosError("INTERNAL", f"the look at {named} has ended with {child.returncode}", hint) from None
    if "error" in found:
        raise raised_from(msgspec.convert(found["error"], Failure))
    return found
