"""WHEN: whatever names a moment becomes the transaction id of that moment."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from persistent.TimeStamp import TimeStamp

from cli.moments import moment, seconds, time_of
from protocol.errors import BatosError

NOW = datetime(2026, 3, 1, 0, 2, 30, tzinfo=UTC)


def test_a_transaction_is_itself():
    assert moment("03e6f4a01b2c3d4e") == "03e6f4a01b2c3d4e"


@given(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - hypothesis takes no others
def test_a_time_is_what_the_world_calls_it(at):
    same = TimeStamp(at.year, at.month, at.day, at.hour, at.minute, at.second + at.microsecond / 1e6).raw()
    mine = int(moment(at.replace(tzinfo=UTC).isoformat()), 16)
    assert abs(mine - int.from_bytes(same, "big")) <= 1 << 10  # within some microseconds
    assert abs(time_of(same.hex()) - at.replace(tzinfo=UTC).timestamp()) < 1e-4


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("5 minutes ago", timedelta(minutes=5)),
        ("1 hour ago", timedelta(hours=1)),
        ("90s ago", timedelta(seconds=90)),
        ("2 Days ago", timedelta(days=2)),
        ("1.5h ago", timedelta(minutes=90)),
        ("1 week ago", timedelta(days=7)),
        ("now", timedelta()),
    ],
)
def test_a_time_ago_is_counted_from_now(text, ago):
    assert moment(text, NOW) == moment((NOW - ago).isoformat())


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "yesterday 25:00", "5 parsecs ago", "0001-01-01", "99999999999 weeks ago", "12"]
)
def test_what_is_no_moment_says_what_one_looks_like(text):
    with pytest.raises(BatosError) as caught:
        moment(text, NOW)
    assert caught.value.code == "USAGE"
    assert "5 minutes ago" in caught.value.hint


def test_a_time_is_in_seconds():
    assert seconds("1970-01-02T00:00Z") == 86400
    assert seconds("2 Days ago", NOW) == NOW.timestamp() - 2 * 86400
    assert seconds("now", NOW) == NOW.timestamp()
    with pytest.raises(BatosError) as caught:
        seconds("soon")
    assert caught.value.code == "USAGE"


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("today", "2026-02-28T23:00Z"),
        ("yesterday", "2026-02-27T23:00Z"),
        ("Yesterday 14:30", "2026-02-28T13:30Z"),
        ("2026-07-01T12:00", "2026-07-01T10:00Z"),
    ],
)
@pytest.mark.usefixtures("berlin")
def test_a_day_is_the_persons_own(text, same):
    assert moment(text, NOW) == moment(same)


@pytest.mark.parametrize(
    ("text", "what", "either"),
    [
        ("2026-03-29T02:30", "skipped", "2026-03-29T01:30+01:00 or 2026-03-29T03:30+02:00"),
        ("2026-10-25T02:30", "twice", "2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00"),
    ],
)
@pytest.mark.usefixtures("berlin")
def test_a_time_that_clocks_skip_or_show_twice_is_refused(text, what, either):
    with pytest.raises(BatosError) as caught:
        moment(text, NOW)
    assert caught.value.code == "USAGE"
    assert what in caught.value.message
    assert either in caught.value.hint
