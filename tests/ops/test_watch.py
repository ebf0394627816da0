"""Who is stuck: what the watch makes of states, beats and work, without a process."""

from __future__ import annotations

import pytest

from ops.vitals import Vital
from ops.watch import BUSY, LATE_S, PATIENCE, QUIET_S, STOPPED_S, Watch
from protocol.home import Home

STEP = 0.1


@pytest.fixture
def seen(monkeypatch):
    """What is to be seen of the processes now, by name."""
    there: dict[str, Vital] = {}
    monkeypatch.setattr("ops.watch.take", lambda _run, name: there.get(name))
    return there


@pytest.fixture
def watch(tmp_path):
    return Watch(Home(tmp_path), ("broker", "memory"), {"broker": [tmp_path / "bus.sock", tmp_path / "join.sock"]})


def follow(watch, seconds, start=0.0):
    """Look for so many seconds; the first that was found, and when."""
    steps = round(seconds / STEP)
    for step in range(steps + 1):
        found = watch.look(start + step * STEP)
        if found:
            return found, step * STEP
    return [], seconds


def _listens(folder):
    for name in ("bus.sock", "join.sock"):
        (folder / name).touch()


def test_who_is_stopped_is_found_whatever_it_loads(watch, seen, tmp_path):
    _listens(tmp_path)
    seen.update(broker=Vital(1, "T", 1.0, 5.0), memory=Vital(2, "T", 1.0, 5.0))
    found, after = follow(watch, 2)
    assert [patient.name for patient in found] == ["broker", "memory"]
    assert not any(patient.gently for patient in found)
    assert after == pytest.approx(STOPPED_S)
    assert "stopped" in found[0].why


@pytest.mark.parametrize(
    ("who", "work", "limit"),
    [
        ("broker S", 0.0, QUIET_S),
        ("broker R", 0.0, QUIET_S * BUSY),
        ("broker D", 0.0, QUIET_S * BUSY),
        ("broker S", 1.0, QUIET_S * BUSY),
        ("memory S", 0.0, QUIET_S * PATIENCE["memory"]),
        ("memory S", 1.0, QUIET_S * PATIENCE["memory"] * BUSY),
    ],
)
def test_who_does_not_beat_has_longer_while_it_works_or_loads(watch, seen, who, work, limit):
    name, state = who.split()
    watch._sockets.clear()
    found, now = [], 0.0
    while not found and now < limit * 2:
        seen[name] = Vital(1, state, work * now, 5.0)
        found, now = watch.look(now), now + STEP
    assert [patient.name for patient in found] == [name]
    assert now == pytest.approx(limit + STEP, abs=2 * STEP)


def test_who_beats_starts_or_goes_on_is_well(watch, seen, tmp_path):
    _listens(tmp_path)
    for step in range(200):
        seen["broker"] = Vital(1, "S", 0.0, 1.0 + step // 10)
        seen["memory"] = Vital(2, "S", 0.0, 0.0)
        assert watch.look(step * STEP) == []
    seen["broker"] = Vital(1, "T", 0.0, 99.0)
    assert follow(watch, STOPPED_S / 2, 20.0)[0] == []
    seen["broker"] = Vital(1, "S", 0.0, 99.0)
    assert follow(watch, STOPPED_S, 20.5)[0] == [], "it went on in time"
    seen["broker"] = Vital(3, "T", 0.0, 99.0)
    assert follow(watch, STOPPED_S / 2, 21.4)[0] == [], "another process begins anew"


def test_a_watch_that_was_late_judges_nobody_by_it(watch, seen, tmp_path):
    _listens(tmp_path)
    seen["broker"] = Vital(1, "S", 0.0, 5.0)
    assert follow(watch, QUIET_S / 2)[0] == []
    late = QUIET_S / 2 + LATE_S * 5
    found, after = follow(watch, 2 * QUIET_S, late)
    assert [patient.name for patient in found] == ["broker"]
    assert after == pytest.approx(QUIET_S)


@pytest.mark.parametrize("lost", ["bus.sock", "join.sock"])
def test_who_has_lost_a_socket_is_asked_to_end(watch, seen, tmp_path, lost):
    _listens(tmp_path)
    (tmp_path / lost).unlink()
    beat = 1.0
    found, now = [], 0.0
    while not found and now < 5:
        seen["broker"] = Vital(1, "S", 0.0, beat + now)
        found, now = watch.look(now), now + STEP
    assert [(patient.name, patient.gently) for patient in found] == [("broker", True)]
    seen["broker"] = Vital(1, "S", 0.0, 0.0)
    assert follow(watch, 3, now)[0] == [], "one that is starting has none yet"
