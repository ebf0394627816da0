"""`python -m actors.memory --home H`."""

from __future__ import annotations

import sys

from bus.powers import lay_down
from bus.program import main

if __name__ == "__main__":
    lay_down()
    # Later, because numpy starts threads when it is imported, and powers are each thread's own.
    from actors.memory.actor import run

    sys.exit(main("memory", run))
