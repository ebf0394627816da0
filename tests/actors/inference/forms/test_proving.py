"""Forms that would end, or keep busy, whoever compiles them."""

from __future__ import annotations

import json

import pytest

from actors.inference.forms.proving import Prover
from protocol.errors import BatosError

HARD = {"allOf": [{"type": "string", "pattern": f"a{n}"} for n in range(30)]}
"""Every word of llguidance against it is twice as long as that against one pattern less."""
DEEP = "start: r0\n" + "\n".join(f'r{n}: "a" r{n + 1}' for n in range(5000)) + '\nr5000: "b"'


@pytest.fixture
def prover():
    made = Prover()
    yield made
    made.close()


def test_a_form_that_ends_the_child_is_refused_and_the_next_is_tried(prover):
    assert "too deep" in prover.why_not(None, DEEP, {})
    assert "seconds" in prover.why_not(json.dumps(HARD), None, {})
    assert prover.why_not(None, 'start: "a"', {}) == ""
    assert "nothing can follow" in prover.why_not(None, "start: X\nX: /a/ & /b/", {})


def test_a_verdict_is_kept_and_a_child_that_was_killed_comes_again(prover):
    assert prover.why_not(None, 'start: "a"', {}) == ""
    child = prover._child
    child.kill()
    child.wait()
    assert prover.why_not(None, 'start: "a"', {}) == ""
    assert prover._child is child
    assert prover.why_not(None, 'start: "b"', {}) == ""
    assert prover._child is not child


def test_verdicts_are_kept_to_a_number(prover, monkeypatch):
    monkeypatch.setattr("actors.inference.forms.proving._VERDICTS", 2)
    for letter in "abca":
        assert prover.why_not(None, f'start: "{letter}"', {}) == ""
    assert len(prover._verdicts) == 2


def test_a_child_that_does_not_answer_is_said_and_replaced(prover, monkeypatch):
    monkeypatch.setattr("actors.inference.forms.proving.WALL_S", 0.0)
    with pytest.raises(BatosError) as caught:
        prover.why_not(None, 'start: "a"', {})
    assert (caught.value.code, caught.value.hint) == ("NOT_READY", "Try again.")
    monkeypatch.undo()
    assert prover.why_not(None, 'start: "a"', {}) == ""


def test_no_child_is_not_ready(prover, monkeypatch):
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(BatosError) as caught:
        prover.why_not(None, 'start: "a"', {})
    assert caught.value.code == "NOT_READY"
