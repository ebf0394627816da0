"""The five actors of a home, each a process of its own."""

import bus  # noqa: F401 - before structlog is imported; see there
