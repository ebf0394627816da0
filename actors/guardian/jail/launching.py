"""The start of a template process, which needs nothing but the standard library.

So it can come before the guardian's own imports, and both go on side by side: a killed guardian is back the sooner.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

import protocol
from protocol.errors import BatosError

_START: Final = (
    "import sys; sys.path[:] = sys.argv[1].split(chr(10)); from actors.guardian.jail.template import main; main()"
)


class Launched(NamedTuple):
    """A template that is starting, and our end of its socket."""

    process: subprocess.Popen[bytes]
    end: socket.socket


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


def launch() -> Launched:
    """Start a template, from the main thread: it is killed when the thread that started it ends. NOT_READY where it cannot be."""
    ours, theirs = socket.socketpair()
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-S", "-P", "-s", "-B", "-c", _START, "\n".join(_import_path())],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            env={"PYTHONHASHSEED": "0"},
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        ours.close()
        raise BatosError("NOT_READY", f"the jail's template could not be started: {error}") from error
    finally:
        theirs.close()
    return Launched(process, ours)


def _import_path() -> list[str]:
    """Where the template finds us and our libraries: our own path, and the folder that this package lies in."""
    root = Path(protocol.__file__ or "").resolve().parents[1]
    return list(dict.fromkeys([str(root), *(str(Path(entry).resolve()) for entry in sys.path if entry)]))
