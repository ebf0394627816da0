"""What a process of a home ended of, if no time that passes mends it: the file `run/NAME.words`, a failure as JSON.

`up` and `status` read it, so that the reason is told at once and by its own code, whoever could not begin and whether
there is a bus by then. `ops/attend.py` starts such a process anew after a rest, without the file.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from protocol.errors import HOPELESS, BatosError
from protocol.failure import Failure, failure_of, raised_from


def leave(run: Path, name: str, error: BatosError) -> None:
    """Keep `error` for those who ask, if it is one that stays."""
    if error.code in HOPELESS:
        # Where it cannot be written, the log still says it.
        with contextlib.suppress(OSError):
            (run / f"{name}.words").write_bytes(msgspec.json.encode(failure_of(error)))


def read(run: Path, name: str) -> BatosError | None:
    """What the process ended of; None where it said nothing, or begins anew."""
    try:
        return raised_from(msgspec.json.decode((run / f"{name}.words").read_bytes(), type=Failure))
    except (OSError, msgspec.DecodeError):
        return None
