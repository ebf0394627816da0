"""`python -m bus.broker --home H`."""

from __future__ import annotations

import sys

from bus.broker.broker import main
from bus.process.powers import lay_down

if __name__ == "__main__":
    lay_down()
    sys.exit(main())
