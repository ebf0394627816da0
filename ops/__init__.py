import bus  # noqa: F401 - before structlog is imported; see there
