"""Logs: one line of JSON an event on standard error, or readable text where that is a terminal.

supervisord writes standard error into a file. Warnings, and what libraries log through `logging`, become lines of the same
form. Every event becomes a line: a value that JSON cannot express is described in a few words. `BATOS_LOG` names the file, so
that a process which outlives its supervisord can go on writing there.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict

from protocol.brief import brief

MAX_BYTES: Final = 10_000_000
BACKUPS: Final = 3


def configure(service: str) -> structlog.stdlib.BoundLogger:
    """Send the logs of this process, which is `service`, to standard error; a logger for it."""

    def name_service(_logger: object, _method: str, event: EventDict) -> EventDict:
        # Not a context variable: those end at the threads that libraries start.
        event["service"] = service
        return event

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        name_service,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    terminal = sys.stderr.isatty()
    rendering: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_line, ensure_ascii=False)]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = _Surviving(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(service)
    return logger


def _line(event: EventDict, **options: Any) -> str:
    try:
        return json.dumps(event, allow_nan=False, **options)
    except (TypeError, ValueError, RecursionError):
        printable = {key: value if isinstance(value, str) else brief(value) for key, value in event.items()}
        return json.dumps(printable, **options)


class _Surviving(logging.StreamHandler[TextIO]):
    """Standard error, and where nobody reads that any more the file at `BATOS_LOG`, as supervisord keeps it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - its name in `logging`
        path = os.environ.get("BATOS_LOG")
        if not path or not isinstance(sys.exc_info()[1], BrokenPipeError):
            super().handleError(record)
            return
        try:
            file = RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=BACKUPS)
        except OSError:
            return  # nobody is left to be told
        file.setFormatter(self.formatter)
        assert file.stream is not None
        root = logging.getLogger()
        root.handlers[:] = [file if handler is self else handler for handler in root.handlers]
        assert file.stream is not None, "it was opened at once"
        for descriptor in (1, 2):  # what prints without logging goes there too
            os.dup2(file.stream.fileno(), descriptor)
        # A buffered standard error has kept the line, and gives it to the file now; else it is written again.
        size = os.fstat(2).st_size
        self.flush()
        if os.fstat(2).st_size == size:
            file.handle(record)
