"""A world of its own for a story, thrown away afterwards; and how a step of a story is played and told."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from protocol.errors import BatosError
from protocol.home import Home


@contextmanager
def home() -> Iterator[Home]:
    """A home in a folder that is gone after the block. What runs in it must be down by then."""
    # Not $TMPDIR: the path of a unix socket is short.
    folder = Path(tempfile.mkdtemp(prefix="batos-", dir="/tmp"))
    try:
        yield Home(folder / "home")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def attempt(name: str, step: Callable[[], Awaitable[str]], began: float | None = None) -> dict[str, Any]:
    """One step as it is told: `{"name", "ok", "seconds", "detail"}`; a failure is its detail. It may have `began` before."""
    started = time.perf_counter() if began is None else began
    try:
        detail, ok = await step(), True
    except BatosError as error:
        detail, ok = f"{error.message}. {error.hint}".rstrip(". ") + f" ({error.code})", False
    return {"name": name, "ok": ok, "seconds": round(time.perf_counter() - started, 1), "detail": detail}


def told(steps: Sequence[dict[str, Any]], started: float, **more: Any) -> dict[str, Any]:
    """All of a story that began at `started` (`time.perf_counter`)."""
    seconds = round(time.perf_counter() - started, 1)
    return {"ok": all(step["ok"] for step in steps), "seconds": seconds, "steps": list(steps), **more}


def expect(holds: bool, otherwise: str) -> None:
    """What a step is about; `otherwise` is how it failed."""
    if not holds:
        raise wrong(otherwise)


def wrong(what: str) -> BatosError:
    return BatosError("INTERNAL", what)
