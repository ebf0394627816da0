"""Several methods on the same inputs, in the real jail."""

from __future__ import annotations

import pytest

from actors.guardian.runtime import probing
from protocol import codec
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Done, Effect, Failed, Probe, ProbeInput, Send

ME = Ref("00000000000000aa")
AREA = "def area_(self):\n    return self.width * self.height\n"
PER = "def area_(self):\n    return self.width // self.height\n"
FORGETFUL = "def area_(self):\n    self.width = 1\n"


def given(*inputs: tuple[dict[str, int], list[int]]) -> list[ProbeInput]:
    return [ProbeInput(slots=slots, args=args) for slots, args in inputs]


def test_every_source_runs_on_every_input_with_the_receivers_other_slots(within):
    inputs = given(({"width": 3}, []), ({"height": 0}, []))
    probed = within(Probe(sources=[AREA, FORGETFUL, PER], receiver=ME, slots={"width": 6, "height": 2}, inputs=inputs))
    area, forgetful, per = probed.sources
    assert probed.inputs == 2
    assert area.outcomes == [{"returns": 6}, {"returns": 0}]
    assert per.outcomes == [{"returns": 1}, {"raises": "ZeroDivisionError"}]
    assert (forgetful.verdict, forgetful.outcomes) == ("reject", [])
    assert [violation.rule for violation in forgetful.violations] == ["COV001"]


def test_changes_removals_and_first_sends_are_told(within):
    grow = "def m_(self, by):\n    self.n += by\n    del self.old\n    self._p_changed = True\n"
    ask = "def m_(self, by):\n    return self.ask_(by, why=1) + 1\n"
    probed = within(Probe(sources=[grow, ask], receiver=ME, slots={"n": 1, "old": 2}, inputs=given(({}, [4]))))
    grown, asked = (source.outcomes for source in probed.sources)
    assert grown == [{"returns": None, "changed": {"n": 5}, "removed": ["old"]}]
    assert asked == [{"sends": "ask_", "to": ME, "args": [4], "kwargs": {"why": 1}}]


def test_no_input_sees_what_another_has_left(within):
    push = "def push_(self, n):\n    self.items.append(n)\n    self._p_changed = True\n    return len(self.items)\n"
    probed = within(Probe(sources=[push], receiver=ME, slots={"items": []}, inputs=given(({}, [1]), ({}, [2]))))
    assert [outcome["returns"] for outcome in probed.sources[0].outcomes] == [1, 1]


def test_a_source_that_has_used_up_its_time_is_run_no_further(within):
    loops = "def m_(self, n):\n    while n:\n        pass\n    return n\n"
    quick = "def m_(self, n):\n    return n\n"
    inputs = given(({}, [0]), ({}, [1]), ({}, [0]))
    probed = within(Probe(sources=[loops, quick], receiver=ME, inputs=inputs, seconds=0.1))
    assert probed.sources[0].outcomes == [{"returns": 0}, {"raises": "LIMIT_TIME"}, {"raises": "LIMIT_TIME"}]
    assert [outcome["returns"] for outcome in probed.sources[1].outcomes] == [0, 1, 0]


def test_where_there_is_no_time_all_sources_end_after_the_same_input(within):
    inputs = given(*(({}, [n]) for n in range(3)))
    probed = within(Probe(sources=["def m_(self, n):\n    return n\n"] * 2, receiver=ME, inputs=inputs, total=0))
    assert (probed.inputs, [source.outcomes for source in probed.sources]) == (0, [[], []])


def test_the_largest_answer_fits_a_frame(within):
    source = "def m_(self):\n    return ['x' * 60] * 10000\n"
    probed = within(Probe(sources=[source], receiver=ME, inputs=given(({}, []))))
    (outcome,) = probed.sources[0].outcomes
    assert list(outcome) == ["digest"]
    assert probing.MAX_RUNS * (probing.MAX_BYTES + 100) < codec.MAX_FRAME_BYTES
    with pytest.raises(BatosError) as caught:
        within(Probe(sources=[source] * 33, receiver=ME, inputs=given(*(({}, []) for _ in range(32)))))
    assert caught.value.code == "BAD_ARGUMENT"


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Done(result=1), {"returns": 1}),
        (Done(changed={"x": 1}, signalled=True), {"returns": None, "changed": {"x": 1}}),
        (Failed(code="METHOD_FAILED", error="KeyError", message="x"), {"raises": "KeyError"}),
        (
            Effect(n=0, send=Send(kind="read", receiver=ME, selector="age"), digest=""),
            {"sends": "age", "to": ME, "args": []},
        ),
    ],
)
def test_an_outcome_in_few_words(outcome, said):
    assert probing.told(outcome) == said


def test_equal_large_outcomes_have_equal_digests():
    one, same, other = (probing.told(Done(result="x" * length)) for length in (9000, 9000, 9001))
    assert one == same != other
