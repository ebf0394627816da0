"""Pins in the tiers: a slot that a name keeps, and what becomes of one that cannot be kept."""

from __future__ import annotations

import pytest

from actors.inference.experts.tiers import Residence

from ..small_house import House, prefetch, refused


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def test_a_pin_is_a_name_s_and_the_last_one_lets_go(house):
    brick = house.content("a")
    robin = brick._replace(name="robin")
    for content in (brick, robin):
        house.tiers.activate(content, pin=True)
    assert house.tiers.place(brick.sha256).pinned == {"a", "robin"}
    house.tiers.unpin(brick)
    error = refused(lambda: house.tiers.evict(brick))
    assert (error.data["pinned"], "pin robin --off" in error.hint) == (["robin"], True)
    house.activate("b", "c")
    assert house.tier("a", "b", "c") == ["hot", "warm", "hot"]
    house.tiers.unpin(robin)
    house.tiers.evict(brick)


def test_a_name_pins_one_content(house):
    house.tiers.activate(house.content("a"), pin=True)
    house.tiers.repin(house.content("b")._replace(name="a"))
    house.activate("c")
    assert house.tier("a", "b", "c") == ["warm", "hot", "hot"]
    house.tiers.activate(house.content("c")._replace(name="a"), pin=True)
    house.tiers.evict(house.content("b"))


def test_what_was_pinned_is_brought_again_and_no_row_has_used_it(house):
    house.tiers.repin(house.content("a"))
    assert house.tiers.place(house.content("a").sha256) == Residence("hot", frozenset("a"))
    house.activate("b", "c")
    assert house.tier("a", "b", "c") == ["hot", "warm", "hot"]


def test_a_pin_that_cannot_be_kept_says_why_and_is_kept_from_the_first_use_on(house):
    whole = house.content("a").path.read_bytes()
    house.content("a").path.write_bytes(b"rotten")
    assert refused(lambda: house.tiers.repin(house.content("a"))).code == "BAD_EXPERT"
    assert (house.tier("a"), "pinned" in house.reason("a")) == (["cold"], True)
    house.activate("b", "c")
    house.content("a").path.write_bytes(whole)
    prefetch(house, "p", "a")
    assert house.tier("a", "b", "c") == ["cold", "hot", "hot"]
    # Once the first wave has brought it, one slot is left for all others.
    rows = [house.content(name) for name in "abcd"]
    assert house.tiers.waves(rows) == [[0, 1], [2], [3]]
    house.output("a")
    house.activate("b", "c")
    assert (house.tier("a", "b", "c"), house.reason("a")) == (["hot", "warm", "hot"], "")


def test_more_pins_than_slots(house):
    for name in "ab":
        house.tiers.repin(house.content(name))
    error = refused(lambda: house.tiers.repin(house.content("c")))
    assert (error.code, error.data["pinned"]) == ("BUSY", ["a", "b"])
    assert ("pinned experts: a, b" in house.reason("c"), house.tier("a", "b", "c")) == (True, ["hot", "hot", "warm"])
    assert refused(lambda: house.output("c")).code == "BUSY"
    house.tiers.unpin(house.content("a"))
    house.output("c")
    assert house.tier("a", "b", "c") == ["warm", "hot", "hot"]
    assert refused(lambda: house.activate("a")).data["pinned"] == ["b", "c"]
