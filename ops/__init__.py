"""What keeps the processes of a home alive."""

import bus  # noqa: F401 - before structlog is imported; see there
