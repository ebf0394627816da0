"""How messages travel, and how a process lives that takes part in it."""

import sys

# structlog imports rich wherever that is installed, for tracebacks on a terminal. The processes of a home log lines of JSON,
# and start without it in a sixth less time; so for structlog it is not there.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
