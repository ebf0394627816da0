"""The medic's rules, and its protocol with supervisord; the care for real processes is tested with `up`."""

from __future__ import annotations

import os

import pytest

from ops.medic import CAP, REST_S, WINDOW_S, Events, Medic


def test_the_first_start_is_none_and_every_later_one_is_a_restart() -> None:
    medic = Medic({"broker": 4})
    assert not medic.observe("PROCESS_STATE_STARTING", "storage", "STOPPED", 0)
    assert not medic.observe("PROCESS_STATE_RUNNING", "storage", "STARTING", 1)
    for came_from in ("EXITED", "BACKOFF", "FATAL"):
        assert medic.observe("PROCESS_STATE_STARTING", "storage", came_from, 2)
    assert medic.restarts == {"broker": 4, "storage": 3}


def test_what_is_fatal_is_revived_after_a_rest_and_only_so_often() -> None:
    medic = Medic()
    now = 0.0
    for _ in range(CAP):
        assert medic.observe("PROCESS_STATE_FATAL", "storage", "BACKOFF", now)
        assert medic.fatal() == ["storage"]
        assert medic.due(now + REST_S - 0.1) == []
        now += REST_S
        assert medic.due(now) == ["storage"]
        assert medic.due(now) == [], "once"
    medic.observe("PROCESS_STATE_FATAL", "storage", "BACKOFF", now)
    medic.observe("PROCESS_STATE_FATAL", "broker", "BACKOFF", now)
    assert medic.due(now + REST_S) == ["broker"], "the cap is each process's own"
    assert medic.fatal() == ["storage"]
    assert medic.due(now + WINDOW_S + 1) == ["storage"], "not given up for ever"


def test_what_was_started_by_hand_is_not_revived() -> None:
    medic = Medic()
    medic.observe("PROCESS_STATE_FATAL", "storage", "BACKOFF", 0)
    medic.observe("PROCESS_STATE_STARTING", "storage", "FATAL", 1)
    assert medic.due(REST_S + 1) == []


def event(serial: int, name: str, payload: str) -> bytes:
    head = (
        f"ver:3.0 server:supervisor serial:{serial} pool:medic poolserial:{serial} eventname:{name} len:{len(payload)}"
    )
    return f"{head}\n{payload}".encode()


def test_events_are_read_however_they_are_cut_and_each_is_acknowledged() -> None:
    inlet, feed = os.pipe()
    answers, outlet = os.pipe()
    events = Events(inlet, outlet)
    sent = event(1, "PROCESS_STATE_EXITED", "processname:a groupname:a from_state:RUNNING expected:0 pid:7")
    sent += event(2, "PROCESS_STATE_STARTING", "processname:a groupname:a from_state:EXITED tries:0")
    got = []
    for at in range(0, len(sent), 50):
        os.write(feed, sent[at : at + 50])
        got += events.read(1)
    assert [(name, fields["processname"], fields["from_state"]) for name, fields in got] == [
        ("PROCESS_STATE_EXITED", "a", "RUNNING"),
        ("PROCESS_STATE_STARTING", "a", "EXITED"),
    ]
    assert os.read(answers, 1000) == b"READY\n" + b"RESULT 2\nOKREADY\n" * 2
    assert events.read(0) == []
    os.close(feed)
    with pytest.raises(EOFError):
        events.read(1)
    for descriptor in (inlet, answers, outlet):
        os.close(descriptor)
