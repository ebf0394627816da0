"""WHEN: a transaction, an ISO time, a day, or a time ago, as the transaction id that the world knows a moment by.

A transaction id holds the time in UTC: the minutes since 1900, counted as if each month had 31 days, in its first four
bytes, and the fraction of the minute in the others.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final

from protocol.errors import BatosError

_TID: Final = re.compile(r"[0-9a-f]{16}")
_AGO: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)\s+ago")
_DAY: Final = re.compile(r"(today|yesterday)(?: (\d{1,2}:\d{2}(?::\d{2})?))?")
_UNITS: Final = {
    "s": 1,
    "second": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "h": 3600,
    "hour": 3600,
    "d": 86400,
    "day": 86400,
}
_UNITS_LONG: Final = {"week": 7 * 86400, "w": 7 * 86400}


def moment(text: str, now: datetime | None = None) -> str:
    """The transaction id (16 hex digits) of the moment that `text` names; USAGE where it names none.

    A time without a zone is of the person's own.
    """
    word = text.strip().lower()
    if _TID.fullmatch(word):
        return word
    try:
        return _tid(_time(text.strip(), now or datetime.now(UTC)))
    except (KeyError, ValueError, OverflowError) as error:
        raise BatosError(
            "USAGE",
            f"{text[:60]!r} is no moment",
            "Give a transaction (16 hexadecimal digits), a time such as 2026-01-31T12:00, 'yesterday 12:00', or '5 minutes ago'.",
        ) from error


def seconds(text: str, now: datetime | None = None) -> float:
    """The time that `text` names, in seconds since 1970; USAGE where it names none. A time without a zone is of the person's own."""
    try:
        return _time(text.strip(), now or datetime.now(UTC)).timestamp()
    except (KeyError, ValueError, OverflowError) as error:
        raise BatosError(
            "USAGE",
            f"{text[:60]!r} is no time",
            "Give a time such as 2026-01-31, 2026-01-31T12:00, yesterday, or '2 weeks ago'.",
        ) from error


def _time(text: str, now: datetime) -> datetime:
    word = " ".join(text.lower().split())
    ago = _AGO.fullmatch(word)
    units = _UNITS | _UNITS_LONG
    if ago is not None:
        unit = ago[2] if ago[2] in units else ago[2].removesuffix("s")
        return now - timedelta(seconds=float(ago[1]) * units[unit])
    if word == "now":
        return now
    day = _DAY.fullmatch(word)
    if day is not None:
        here = now.astimezone().date() - timedelta(days=day[1] == "yesterday")
        return _of_zone(datetime.combine(here, time.fromisoformat(day[2] or "00:00")))
    return _of_zone(datetime.fromisoformat(text))


def _of_zone(at: datetime) -> datetime:
    """A time of the person's own zone, in UTC; USAGE for one that no clock has shown there, or that was there twice."""
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    first, second = (at.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    gap = first.astimezone().replace(tzinfo=None) != at
    what = "was skipped when the clocks were put forward" if gap else "was there twice when the clocks were put back"
    either = " or ".join(one.isoformat(timespec="minutes") for one in sorted({first.astimezone(), second.astimezone()}))
    raise BatosError("USAGE", f"{at.isoformat(' ')} {what}", f"Say which: {either}.")


def _tid(at: datetime) -> str:
    if at.year < 1900:
        raise ValueError("before all transactions")
    minutes = (((at.year - 1900) * 12 + at.month - 1) * 31 + at.day - 1) * 1440 + at.hour * 60 + at.minute
    fraction = round((at.second + at.microsecond / 1e6) / 60 * (1 << 32))
    return f"{minutes:08x}{min(fraction, (1 << 32) - 1):08x}"


def time_of(tid: str) -> float:
    """The Unix time that a transaction's id holds."""
    minutes, fraction = int(tid[:8], 16), int(tid[8:], 16)
    months, minute = divmod(minutes, 31 * 1440)
    at = datetime(1900 + months // 12, months % 12 + 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    return at.timestamp() + fraction * 60 / (1 << 32)
