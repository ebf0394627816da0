"""What the kernel allows a home's processes (getrlimit(2)): a limit that is too low is named, a soft limit is raised.

A process that meets such a limit fails in some other place and with a message that does not name it. So limits are checked
before anything starts.
"""

from __future__ import annotations

import resource
from typing import Final, NamedTuple

from protocol.errors import BatosError


class Limit(NamedTuple):
    """`needed` is the least with which all processes start; the shell counts in `unit`s of what the kernel does."""

    name: str
    number: int
    what: str
    needed: int
    flag: str
    unit: int = 1


LIMITS: Final = (
    Limit("RLIMIT_NOFILE", resource.RLIMIT_NOFILE, "open files", 256, "n"),
    Limit("RLIMIT_NPROC", resource.RLIMIT_NPROC, "processes and threads of this user", 256, "u"),
    Limit("RLIMIT_FSIZE", resource.RLIMIT_FSIZE, "bytes in a file", 1 << 30, "f", 1024),
)
PLENTY: Final = 65536
"""Open files: one for each client of the broker and each connection to the world, and some."""


def check() -> None:
    """LIMIT where a hard limit is too low for a home: only whoever set it can raise it."""
    for limit in LIMITS:
        _, hard = resource.getrlimit(limit.number)
        if hard != resource.RLIM_INFINITY and hard < limit.needed:
            raise BatosError(
                "LIMIT",
                f"{limit.name} allows {hard} {limit.what}, and the system needs {limit.needed}",
                f"Raise it where it is set, in this shell by `ulimit -{limit.flag} {-(-limit.needed // limit.unit)}`,"
                " and start again.",
                limit=limit.name,
                allowed=hard,
                needed=limit.needed,
            )


def widen() -> None:
    """Raise what this process and its children may have to what they need, as far as the hard limits let it."""
    for limit in LIMITS:
        soft, hard = resource.getrlimit(limit.number)
        wanted = PLENTY if limit.number == resource.RLIMIT_NOFILE else limit.needed
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft != resource.RLIM_INFINITY and soft < allowed:
            resource.setrlimit(limit.number, (allowed, hard))
