"""Why a process of a home has ended, where waiting does not help: the file `run/NAME.words`, which holds a failure as JSON.

`up` and `status` read it. So they tell the reason at once and under its own code, also where there is no bus yet.
`ops/attend.py` removes the file after a while and starts the process again.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from protocol.errors import BatosError
from protocol.failure import Failure, failure_of, raised_from


def leave(run: Path, name: str, error: BatosError) -> None:
    """Write `error` down, if it is one that waiting does not mend."""
    if error.is_hopeless:
        # Where it cannot be written, the log still says it.
        with contextlib.suppress(OSError):
            (run / f"{name}.words").write_bytes(msgspec.json.encode(failure_of(error)))


def read(run: Path, name: str) -> BatosError | None:
    """Why the process has ended; None where it left no words, or was started again since."""
    try:
        return raised_from(msgspec.json.decode((run / f"{name}.words").read_bytes(), type=Failure))
    except (OSError, msgspec.DecodeError):
        return None
