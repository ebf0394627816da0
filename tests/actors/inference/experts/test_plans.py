"""What plans say about the future."""

from __future__ import annotations

import math

from actors.inference.experts.plans import KEPT, PASSED, Plans


def test_the_nearest_plan_tells_the_distance():
    plans = Plans()
    plans.admit("p", ["a", "b", "a", "c"])
    plans.admit("q", ["c"])
    assert [plans.distance(one) for one in "abcd"] == [0, 1, 0, math.inf]


def test_a_use_is_of_the_oldest_plan_that_waits_for_it():
    plans = Plans()
    plans.admit("p", ["a", "b"])
    plans.admit("q", ["b", "a"])
    plans.used("a")
    assert [plans.distance(one) for one in "ab"] == [1, 0]
    plans.used("a")
    plans.used("b")
    plans.used("b")
    plans.used("b")
    assert [plans.distance(one) for one in "ab"] == [math.inf, math.inf]


def test_a_plan_that_is_said_again_replaces_itself():
    plans = Plans()
    plans.admit("p", ["a", "b"])
    plans.admit("p", ["c"])
    assert [plans.distance(one) for one in "abc"] == [math.inf, math.inf, 0]
    plans.admit("p", [])
    assert plans.distance("c") == math.inf


def test_plans_that_nobody_ends_are_pushed_out():
    plans = Plans()
    for number in range(KEPT + 1):
        plans.admit(str(number), [str(number)])
    assert plans.distance("0") == math.inf
    assert plans.distance("1") == 0


def test_a_plan_that_others_have_passed_by_is_given_up():
    plans = Plans()
    plans.admit("dead", ["a"])
    plans.admit("slow", ["b", "c"])
    for _ in range(PASSED - 1):
        plans.used("x")
    plans.used("b")
    assert [plans.distance(one) for one in "ac"] == [0, 0]
    plans.used("x")
    assert [plans.distance(one) for one in "ac"] == [math.inf, 0]
    for _ in range(PASSED):
        plans.used("x")
    assert plans.distance("c") == math.inf


def test_a_plan_begins_where_it_is_admitted():
    plans = Plans()
    for _ in range(2 * PASSED):
        plans.used("x")
    plans.admit("p", ["a"])
    plans.used("x")
    assert plans.distance("a") == 0
