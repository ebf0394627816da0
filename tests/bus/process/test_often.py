"""A line that could be written ten thousand times is written once a period, and the rest are counted."""

from __future__ import annotations

import pytest

from bus.process.often import Often


class Log:
    def __init__(self):
        self.lines = []

    def warning(self, event, **fields):
        self.lines.append((event, fields))


@pytest.fixture
def turned():
    """An event, what was written of it, and a clock to turn."""
    log, clock = Log(), [0.0]
    return Often(log, "it happened", period=60, clock=lambda: clock[0]), log.lines, clock


def test_the_first_is_written_at_once_and_the_rest_are_counted(turned):
    often, lines, clock = turned
    for n in range(10_000):
        often.say(n=n)
    assert lines == [("it happened", {"n": 0})]
    clock[0] = 60
    often.say(n="later")
    assert lines[1:] == [("it happened", {"n": "later", "more": 9_999})]
    clock[0] = 120
    often.say(n="again")
    assert lines[2:] == [("it happened", {"n": "again"})]


def test_what_was_kept_back_is_told_when_the_period_is_over_and_no_more_come(turned):
    often, lines, clock = turned
    often.tick()
    assert lines == []
    for _ in range(5):
        often.say()
    often.tick()
    assert len(lines) == 1
    clock[0] = 60
    for _ in range(3):
        often.tick()
    assert lines[1:] == [("it happened", {"more": 4})]
