"""What `up` says while it waits; that it waits at all is in test_lifecycle.py."""

from __future__ import annotations

from cli import lifecycle


class Seen:
    """A census in which memory waits for something, or is ready (""), and nobody else has been started."""

    def __init__(self, waits, state="RUNNING"):
        self._waits, self._state = waits, state

    def waits(self, name):
        return self._waits if name == "memory" else "its process is stopped"

    def state(self, name):
        return self._state if name == "memory" else "STOPPED"


def said_of(*seen):
    lines, said = [], set()
    for found in seen:
        lifecycle._say_waits(found, said, lines.append)
    return lines


def test_each_thing_is_said_once_however_often_it_comes_back():
    silent = Seen("its process is silent", "SILENT")
    assert said_of(silent, Seen("the model"), silent, Seen("the model"), silent, Seen(""), silent, Seen("")) == [
        "waiting for memory: its process is silent",
        "waiting for memory: the model",
        "memory is ready",
    ]


def test_who_is_only_starting_is_not_spoken_of():
    assert said_of(Seen("its process is starting", "STARTING"), Seen("the model")) == ["waiting for memory: the model"]
