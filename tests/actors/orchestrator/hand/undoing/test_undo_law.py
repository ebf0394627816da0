"""Whatever is changed and taken back, in whatever order: the world is what a model says, and nothing is written over."""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.errors import BatosError
from tests.actors.orchestrator.hand.conftest import *  # noqa: F403 - its fixture

SLOTS = ("a", "b")
OBJECTS = ("left", "right")
SOURCES = [f"def m_(self):\n    return {number}\n" for number in range(3)]

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.sampled_from(OBJECTS), st.sampled_from(SLOTS), st.integers(0, 2)),
        st.tuples(st.just("drop"), st.sampled_from(OBJECTS), st.sampled_from(SLOTS)),
        st.tuples(st.just("define"), st.sampled_from(OBJECTS), st.sampled_from(SOURCES)),
        st.tuples(st.just("undo"), st.integers(0, 6)),
        st.tuples(st.just("rewind"), st.integers(0, 6)),
    ),
    min_size=3,
    max_size=9,
)


class Model:
    """Two objects as dicts, and what each commit has changed of them: {(object, slot): (before, after)}."""

    def __init__(self):
        self.world = {name: {} for name in OBJECTS}
        self.commits = []

    def change(self, tid, name, slot, value):
        before = copy.deepcopy(self.world)
        if value is None:
            self.world[name].pop(slot, None)
        else:
            self.world[name][slot] = value
        self._note(tid, before)

    def inverse(self, number):
        """The world without that commit, or None where it is refused."""
        _, _, changes = self.commits[number]
        there = {place: self.world[place[0]].get(place[1]) for place in changes}
        if any(there[place] not in (before, after) for place, (before, after) in changes.items()):
            return None
        if all(there[place] == before for place, (before, _) in changes.items()):
            return None
        made = copy.deepcopy(self.world)
        for (name, slot), (before, _) in changes.items():
            made[name].pop(slot, None)
            if before is not None:
                made[name][slot] = before
        return made

    def become(self, tid, made):
        before, self.world = self.world, copy.deepcopy(made)
        self._note(tid, before)

    def _note(self, tid, before):
        places = {(name, slot) for world in (before, self.world) for name in world for slot in world[name]}
        changes = {
            (name, slot): (before[name].get(slot), self.world[name].get(slot))
            for name, slot in places
            if before[name].get(slot) != self.world[name].get(slot)
        }
        self.commits.append((tid, copy.deepcopy(self.world), changes))


class Play:
    """Plays steps on a world of its own, and on the model of it."""

    def __init__(self, run, house, hand):
        self.run, self.house, self.hand = run, house, hand
        self.prefix = f"w{house.db.lastTransaction().hex()}"
        for name in OBJECTS:
            house.new(self.prefix + name)
        self.model = Model()

    def seen(self):
        found = {}
        for name in OBJECTS:
            view = self.house.look(self.prefix + name)
            found[name] = view.slots | {selector: method.sha256 for selector, method in view.methods.items()}
        return found

    def set(self, name, slot, value):
        done = self.run(self.hand.set(self.prefix + name, **{slot: value}))
        if done.tid:
            self.model.change(done.tid, name, slot, value)

    def define(self, name, source):
        done = self.run(self.hand.define(self.prefix + name, source))
        if done.tid:
            self.model.change(done.tid, name, "m_", done.methods[0].sha256)

    def drop(self, name, slot):
        if slot in self.model.world[name]:
            done = self.run(self.hand.drop(self.prefix + name, slot, force=True))
            self.model.change(done.tid, name, slot, None)

    def undo(self, number):
        if self.model.commits:
            number %= len(self.model.commits)
            self.become(self.hand.undo(self.model.commits[number][0]), self.model.inverse(number))

    def rewind(self, number):
        if self.model.commits:
            number %= len(self.model.commits)
            tid, then, _ = self.model.commits[number]
            self.become(self.hand.rewind(tid), None if number == len(self.model.commits) - 1 else then)

    def become(self, work, made):
        """`made` is what the world is to become, or None where it is to be refused."""
        if made is None:
            with pytest.raises(BatosError) as caught:
                self.run(work)
            assert caught.value.code in {"BLOCKED", "BAD_ARGUMENT"}
        else:
            self.model.become(self.run(work).tid, made)


@given(steps=STEPS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_changes_and_undos_leaves_what_a_model_says(event_loop_policy_free_house, steps):
    play = Play(*event_loop_policy_free_house)
    for kind, *rest in steps:
        getattr(play, kind)(*rest)
        assert play.seen() == play.model.world
