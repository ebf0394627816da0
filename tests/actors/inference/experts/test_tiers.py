"""Three tiers: what is evicted and for whom, what may not be, and what a load that fails leaves behind."""

from __future__ import annotations

import threading
from random import Random

import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.inference.decoding.bank import Bank
from actors.inference.experts.plans import PASSED
from actors.inference.experts.tiers import Residence

from ..small_house import SIZE, House, prefetch, refused


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def test_from_cold_over_warm_to_hot_and_back(house):
    assert house.tier("a") == ["cold"]
    assert house.tiers.place("unheard of") == Residence()
    house.tiers.warm(house.content("a"))
    assert house.tier("a") == ["warm"]
    house.activate("a", "b")
    assert house.tiers.place(house.content("a").sha256) == Residence("hot", last_used=7.0)
    house.activate("c")
    assert house.tier("a", "b", "c") == ["warm", "hot", "hot"]
    assert "room for c" in house.reason("a")
    house.activate("a")
    assert (house.tier("a", "b"), house.reason("a")) == (["hot", "warm"], "")


def test_a_warm_expert_needs_its_file_no_more(house):
    first = house.output("a")
    house.content("a").path.unlink()
    house.activate("b", "c")
    assert house.tier("a") == ["warm"]
    assert torch.equal(house.output("a"), first)


def test_the_one_used_longest_ago_goes_unless_it_is_needed_next(house):
    house.activate("a", "b", "a", "c")
    assert house.tier("a", "b") == ["hot", "warm"]
    with house.tiers.hold([house.content("d")], later={house.content("a").sha256}):
        assert house.tier("a", "c") == ["hot", "warm"]


def test_what_rows_in_flight_use_is_not_taken(house):
    house.activate("a", "b")
    with house.tiers.hold([house.content("a")]):
        house.activate("c", "d")
        assert house.tier("a", "b", "c", "d") == ["hot", "warm", "warm", "hot"]
        with house.tiers.hold([house.content("d")]):
            assert refused(lambda: house.activate("e")).code == "BUSY"
    house.activate("e")
    assert house.tier("e") == ["hot"]


def test_what_is_pinned_is_not_taken(house):
    house.tiers.activate(house.content("a"), pin=True)
    house.activate("b", "c", "d")
    assert house.tier("a", "b", "c", "d") == ["hot", "warm", "warm", "hot"]
    house.tiers.activate(house.content("d"), pin=True)
    error = refused(lambda: house.activate("b"))
    assert (error.code, error.data["pinned"]) == ("BUSY", ["a", "d"])
    house.tiers.unpin(house.content("a"))
    house.tiers.unpin(house.content("unheard of"))
    house.activate("b")
    assert house.tier("a", "b") == ["warm", "hot"]


def test_a_batch_that_needs_all_slots_gets_them(house):
    house.activate("c", "d")
    wanted = [house.content("a"), house.content("d"), house.content("a")]
    with house.tiers.hold(wanted) as slots:
        assert set(slots) == {house.content("a").sha256, house.content("d").sha256}
        assert len(set(slots.values())) == 2
        assert house.tier("c", "d") == ["warm", "hot"]


def test_a_hold_that_fails_half_way_holds_nothing(house):
    house.activate("a")
    house.content("b").path.write_bytes(b"rotten")
    for _ in range(3):
        refused(lambda: house.tiers.hold([house.content("a"), house.content("b")]).__enter__())
    house.activate("c", "d")
    assert house.tier("a", "c", "d") == ["warm", "hot", "hot"]


def test_a_load_that_fails_leaves_every_slot_as_it_was(house):
    before = {name: house.output(name) for name in ("a", "b")}
    house.content("c").path.write_bytes(house.content("c").path.read_bytes()[:-1])
    assert refused(lambda: house.activate("c")).code == "BAD_EXPERT"
    assert house.tier("a", "b", "c") == ["hot", "hot", "cold"]
    for name, said in before.items():
        assert torch.equal(house.output(name), said)


def test_a_copy_that_fails_costs_a_slot_and_no_answer(house, monkeypatch):
    before = house.output("a")
    house.activate("b")

    def broken(*_):
        raise RuntimeError("the device is gone")

    with monkeypatch.context() as patched:
        patched.setattr(Bank, "_copy", broken)
        with pytest.raises(RuntimeError, match="gone"):
            house.activate("c")
    assert house.tier("a", "b", "c") == ["warm", "hot", "cold"]
    assert torch.equal(house.output("a"), before)


def test_who_is_refused_a_slot_has_been_read_and_within_the_budget(tmp_path):
    house = House(tmp_path, warm_bytes=2 * SIZE)
    with house.tiers.hold([house.content("a"), house.content("b")]):
        for name in "cd":
            assert refused(lambda name=name: house.activate(name)).code == "BUSY"
            assert house.tier("a", "b", name) == ["hot", "hot", "warm"]
            house.content(name).path.unlink()
            assert refused(lambda name=name: house.activate(name)).code == "BUSY"
        kept = [entry.content.name for entry in house.tiers._entries.values() if entry.expert is not None]
        assert len(kept) == 2
    house.activate("d")
    assert house.tier("d") == ["hot"]


def test_released_content_gives_everything_back(house):
    house.tiers.activate(house.content("a"), pin=True)
    house.tiers.release(house.content("a").sha256, "a was replaced")
    assert house.tiers.place(house.content("a").sha256) == Residence("cold", frozenset(), 7.0, "a was replaced")
    house.activate("b")
    with house.tiers.hold([house.content("b")]):
        house.tiers.release(house.content("b").sha256, "b was replaced")
        assert house.tier("b") == ["hot"]
    house.activate("c", "d")
    assert house.tier("b") == ["warm"]
    house.tiers.release("unheard of", "")


def test_a_plan_brings_its_experts_before_they_are_used(house):
    prefetch(house, "p", "a", "b", "c")
    assert house.tier("a", "b", "c") == ["hot", "hot", "warm"]
    assert house.tiers.place(house.content("a").sha256).last_used is None


def test_a_plan_keeps_the_slots_of_what_it_needs_soonest(house):
    prefetch(house, "p", "a", "b")
    house.activate("c")
    assert house.tier("a", "b", "c") == ["hot", "warm", "hot"]
    assert "needed latest" in house.reason("b")


def test_a_use_wears_a_plan_off(house):
    prefetch(house, "p", "a", "b")
    house.output("a")
    house.activate("c")
    assert house.tier("a", "b", "c") == ["warm", "hot", "hot"]


def test_plans_of_cycles_that_died_keep_no_slot_from_a_new_plan(house):
    prefetch(house, "dead", "a")
    prefetch(house, "dead too", "b")
    for _ in range(PASSED + 1):
        house.output("c")
    prefetch(house, "new", "d", "e")
    assert house.tier("a", "b", "c", "d", "e") == ["warm", "warm", "warm", "hot", "hot"]


def test_a_plan_takes_no_slot_from_rows_in_flight_from_pins_and_from_an_earlier_need(house):
    house.tiers.activate(house.content("a"), pin=True)
    with house.tiers.hold([house.content("b")]):
        prefetch(house, "p", "c")
        assert house.tier("a", "b", "c") == ["hot", "hot", "warm"]
    prefetch(house, "p", "b", "c")
    assert house.tier("a", "b", "c") == ["hot", "hot", "warm"]
    prefetch(house, "p", "c", "b")
    assert house.tier("a", "b", "c") == ["hot", "warm", "hot"]


def test_a_spoiled_expert_of_a_plan_is_said_after_the_others_are_there(house):
    house.content("a").path.write_bytes(b"rotten")
    assert refused(lambda: prefetch(house, "p", "a", "b")).code == "BAD_EXPERT"
    assert house.tier("a", "b") == ["cold", "hot"]


def test_two_threads_that_move_experts_never_mix_them_up(tmp_path):
    house = House(tmp_path, slots=3, warm_bytes=4 * SIZE)
    said = {name: house.output(name) for name in "abcdef"}
    over = threading.Event()
    failures = []

    def fetch():
        order = Random(2)
        try:
            while not over.is_set():
                prefetch(house, "p", *order.sample("abcdef", 3))
        except BaseException as error:
            failures.append(error)
            raise

    ahead = threading.Thread(target=fetch)
    ahead.start()
    order = Random(1)
    try:
        for _ in range(300):
            names = order.sample("abcdef", order.randint(1, 3))
            contents = [house.content(name) for name in names]
            with torch.inference_mode(), house.tiers.hold(contents) as slots:
                house.bank.serve([slots[content.sha256] for content in contents])
                try:
                    rows = house.model.layers(torch.ones(len(names), 2, 4))
                finally:
                    house.bank.serve(())
            for name, row in zip(names, rows, strict=True):
                assert torch.allclose(row, said[name][0], atol=1e-6)
    finally:
        over.set()
        ahead.join()
    assert failures == []


def test_an_evicted_expert_is_cold_and_comes_back_the_same(house):
    first = house.output("a")
    house.tiers.warm(house.content("b"))
    for name in "abc":
        house.tiers.evict(house.content(name))
    assert house.tiers.place(house.content("a").sha256) == Residence(
        "cold", frozenset(), 7.0, "it was evicted by request"
    )
    assert [house.tiers._entries[house.content(name).sha256].expert for name in "ab"] == [None, None]
    assert torch.equal(house.output("a"), first)


def test_what_is_pinned_or_in_use_is_not_evicted(house):
    house.tiers.activate(house.content("a"), pin=True)
    with house.tiers.hold([house.content("b")]):
        errors = [refused(lambda name=name: house.tiers.evict(house.content(name))) for name in "ab"]
    assert [(error.code, error.data) for error in errors] == [("BUSY", {"pinned": ["a"]}), ("BUSY", {})]
    house.tiers.unpin(house.content("a"))
    house.tiers.evict(house.content("a"))
    assert house.tier("a", "b") == ["cold", "hot"]


def test_memory_keeps_to_its_budget(tmp_path):
    house = House(tmp_path, slots=1)
    size = SIZE
    house.tiers._budget = 2 * size
    house.activate("a", "b", "c")
    assert house.tier("a", "b", "c") == ["cold", "warm", "hot"]
    assert "warm_bytes" in house.reason("a")
    house.tiers._budget = size - 1
    house.activate("d")
    assert house.tier("d") == ["hot"]
    house.tiers.warm(house.content("e"))
    assert (house.tier("e"), "warm_bytes" in house.reason("e")) == (["cold"], True)
    first = house.output("d")
    house.activate("e")
    assert torch.equal(house.output("d"), first)


def test_rows_are_divided_by_what_the_slots_can_hold(house):
    def waves(*names):
        return house.tiers.waves([None if name is None else house.content(name) for name in names])

    assert waves() == [[]]
    assert waves(None, None) == [[0, 1]]
    assert waves("a", None, "b", "a") == [[0, 1, 2, 3]]
    assert waves("a", "b", "c", None, "a", "c") == [[0, 1, 3, 4], [2, 5]]
    house.tiers.activate(house.content("b"), pin=True)
    assert waves("a", "b", "c", None, "c") == [[0, 1, 3], [2, 4]]
    house.tiers.activate(house.content("a"), pin=True)
    assert waves("b", None, "a") == [[0, 1, 2]]
    assert refused(lambda: waves("b", "c")).code == "BUSY"


NAMES = st.sampled_from("abcde")


class Moves(RuleBasedStateMachine):
    """Whatever is asked in whatever order: each expert says what it always says, and the limits hold."""

    folder = None

    def __init__(self):
        super().__init__()
        self.house = House(self.folder, slots=2)
        self.house.tiers._budget = 3 * SIZE
        self.said = {name: self.house.output(name) for name in "abcde"}
        self.pins = set()

    @rule(name=NAMES)
    def use(self, name):
        if len(self.pins - {name}) < 2:
            assert torch.equal(self.house.output(name), self.said[name])
        else:
            assert refused(lambda: self.house.output(name)).code == "BUSY"

    @precondition(lambda self: len(self.pins) < 2)
    @rule(name=NAMES)
    def pin(self, name):
        self.house.tiers.activate(self.house.content(name), pin=True)
        self.pins.add(name)

    @rule(name=NAMES)
    def unpin(self, name):
        self.house.tiers.unpin(self.house.content(name))
        self.pins.discard(name)

    @rule(name=NAMES)
    def release(self, name):
        self.house.tiers.release(self.house.content(name).sha256, "gone")
        self.pins.discard(name)

    @rule(plan=st.sampled_from("pq"), names=st.lists(NAMES, max_size=4))
    def prefetch(self, plan, names):
        self.house.tiers.prefetch(plan, [self.house.content(name) for name in names])

    @rule(name=NAMES)
    def evict(self, name):
        if name in self.pins:
            assert refused(lambda: self.house.tiers.evict(self.house.content(name))).code == "BUSY"
        else:
            self.house.tiers.evict(self.house.content(name))
            assert self.house.tier(name) == ["cold"]

    @rule(name=NAMES)
    def warm(self, name):
        self.house.tiers.warm(self.house.content(name))

    @invariant()
    def the_limits_hold(self):
        entries = self.house.tiers._entries.values()
        slots = [entry.slot for entry in entries if entry.slot is not None]
        assert len(slots) == len(set(slots)) <= 2
        assert SIZE * sum(entry.expert is not None for entry in entries) <= self.house.tiers._budget
        assert all(entry.references == 0 for entry in entries)
        assert {entry.content.name for entry in entries if entry.pinned} == self.pins
        assert all(self.house.tier(name) == ["hot"] for name in self.pins)


def test_any_order_of_moves(tmp_path_factory):
    from hypothesis.stateful import run_state_machine_as_test

    class Fresh(Moves):
        @property
        def folder(self):
            return tmp_path_factory.mktemp("tiers")

    run_state_machine_as_test(Fresh, settings=settings(max_examples=25, stateful_step_count=25))
