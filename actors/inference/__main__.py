"""`python -m actors.inference --home H`."""

from __future__ import annotations

import sys

from actors.inference.actor import run
from bus.process.powers import lay_down
from bus.process.program import main

if __name__ == "__main__":
    lay_down()
    sys.exit(main("inference", run))
