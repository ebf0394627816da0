"""A log line that others can cause as often as they like: it is written once a period, with a count of the others."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import structlog

PERIOD_S: Final = 60.0


class Often:
    """One event of `log`. `say` it as often as it happens; `tick` tells of those that were kept back."""

    def __init__(
        self,
        log: structlog.stdlib.BoundLogger,
        event: str,
        *,
        period: float = PERIOD_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._event = event
        self._period = period
        self._clock = clock
        self._again = -float("inf")
        self._kept = 0

    def say(self, **fields: Any) -> None:
        """Write a line with `fields` now, if none was written in this period."""
        if self._clock() < self._again:
            self._kept += 1
        else:
            self._write(fields)

    def tick(self) -> None:
        """Write how many were kept back, when their period is over."""
        if self._kept and self._clock() >= self._again:
            self._write({})

    def _write(self, fields: dict[str, Any]) -> None:
        self._log.warning(self._event, **fields, **({"more": self._kept} if self._kept else {}))
        self._kept = 0
        self._again = self._clock() + self._period
