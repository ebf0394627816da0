"""The laws of the choice among methods by what they do."""

from __future__ import annotations

from math import fsum

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.orchestrator.primitives.behaviour.choosing import Candidate, choose, confirm
from actors.orchestrator.primitives.behaviour.inputs import Input
from protocol.messages import Example

INPUTS = [Input({("slots", "n"): n}, is_edge=n < 0) for n in range(-2, 8)]
OUTCOMES = st.sampled_from([{"returns": 1}, {"returns": 2}, {"returns": 3.5}, {"raises": "KeyError"}])
ANSWERS = st.sampled_from([{"returns": 1}, {"returns": 2}])


def drawn(outcomes, weights):
    runs = st.lists(st.tuples(weights, st.lists(outcomes, min_size=10, max_size=10)), min_size=1, max_size=5)
    return runs.map(lambda found: [candidate(f"source {n}", run, weight) for n, (weight, run) in enumerate(found)])


CANDIDATES = drawn(OUTCOMES, st.sampled_from([0.1, 0.3, 1.0, 2.0]))


def candidate(source, run, weight=1.0):
    """`run`: outcomes, or a function of the slot that returns one, or raises."""
    if callable(run):
        run = [outcome(run, given.filled["slots", "n"]) for given in INPUTS]
    return Candidate(source, f"sha256 of {source}", weight, 1, run)


def outcome(run, n):
    try:
        return {"returns": run(n)}
    except ArithmeticError as error:
        return {"raises": type(error).__name__}


def chosen(*candidates, examples=()):
    return choose(candidates, INPUTS, examples).groups[0].first.source


@given(CANDIDATES, st.randoms(use_true_random=False))
def test_nothing_depends_on_the_order_of_the_candidates(candidates, random):
    shuffled = random.sample(candidates, len(candidates))
    examples = [Example(returns=1), Example(returns=2)]
    assert choose(candidates, INPUTS, examples) == choose(shuffled, INPUTS, examples)


@given(CANDIDATES)
def test_a_group_is_what_did_the_same_everywhere(candidates):
    groups = choose(candidates, INPUTS, []).groups
    assert sorted(one.source for group in groups for one in group.members) == sorted(one.source for one in candidates)
    assert fsum(group.weight for group in groups) == pytest.approx(fsum(one.weight for one in candidates))
    assert len({group.keys for group in groups}) == len(groups)


@given(drawn(ANSWERS, st.sampled_from([1.0, 2.0, 9.0])))
def test_what_has_more_than_half_of_the_weight_wins(candidates):
    groups = choose(candidates, INPUTS, []).groups
    heaviest = max(groups, key=lambda group: group.weight)
    if heaviest.weight > 0.51 * fsum(group.weight for group in groups):
        assert groups[0] == heaviest


@given(CANDIDATES)
def test_the_first_answer_to_a_doubt_is_the_chosen_ones_and_the_others_differ(candidates):
    choice = choose(candidates, INPUTS, [])
    assert len(choice.doubts) <= 3
    for n, groups in choice.doubts:
        assert groups[0] == choice.groups[0]
        assert len({group.keys[n] for group in groups}) == len(groups)
        assert all(group.answers(n) for group in groups)


def test_likelihoods_count_where_they_are_given():
    double, square = (lambda n: 2 * n), (lambda n: n * n)
    assert chosen(candidate("a", double), candidate("b", square), candidate("c", square)) == "b"
    assert chosen(candidate("a", double, 0.9), candidate("b", square, 0.2), candidate("c", square, 0.3)) == "a"
    assert chosen(candidate("longer", double), candidate("short", square)) == "short"


def test_numbers_that_differ_in_their_last_digits_are_the_same():
    one, other = candidate("a", lambda n: n * 1.8 + 32), candidate("b", lambda n: n * 9 / 5 + 32)
    assert len(choose([one, other], INPUTS, []).groups) == 1


def test_what_raises_where_others_answer_loses():
    fragile, careful = (lambda n: 6 / n), (lambda n: 6 / n if n else 0.0)
    some = [candidate("a", fragile), candidate("b", fragile), candidate("rather long", careful)]
    choice = choose(some, INPUTS, [])
    assert (choice.groups[0].first.source, choice.doubts) == ("rather long", [])


def test_one_stray_that_never_raises_does_not_beat_what_most_agree_on():
    fragile = [candidate(f"s{n}", lambda n: 6 / n) for n in range(5)]
    assert chosen(*fragile, candidate("stray", lambda n: n)) == "s0"


def test_what_stands_alone_is_in_doubt_by_what_no_example_says():
    alone = candidate("a", lambda n: 6 / n)
    examples = [Example(slots={"n": 1}, returns=6.0)]
    choice = choose([alone], INPUTS, examples)
    assert (choice.is_alone, choice.doubts) == (True, [])
    [(n, groups)] = confirm(choice, None, INPUTS, examples).doubts
    assert [group.first.source for group in groups] == ["a"]
    assert alone.outcomes[n] not in ({"returns": 6.0}, {"raises": "ZeroDivisionError"})
    assert not choose([msgspec.structs.replace(alone, count=2)], INPUTS, examples).is_alone
    assert not choose([alone, candidate("b", lambda n: 6 / n)], INPUTS, examples).is_alone


def test_what_only_sends_has_nothing_that_one_could_confirm():
    choice = choose([candidate("a", [{"sends": "age"}] * len(INPUTS))], INPUTS, [])
    assert confirm(choice, None, INPUTS, []).doubts == []


def test_what_stands_alone_is_in_doubt_where_less_of_it_does_something_else():
    choice = choose([candidate("a", lambda n: max(n, 3))], INPUTS, [])
    same, less = candidate("same", lambda n: max(n, 3)), candidate("less", lambda n: n, 0.01)
    assert confirm(choice, [], INPUTS, []).doubts == confirm(choice, [same], INPUTS, []).doubts == []
    [(n, groups)] = confirm(choice, [same, less], INPUTS, []).doubts
    assert [group.first.outcomes[n]["returns"] for group in groups] == [3, INPUTS[n].filled["slots", "n"]]


def test_where_all_raise_nobody_loses():
    fragile = [candidate("aa", lambda n: 6 / n), candidate("b", lambda n: 7 / n), candidate("c", lambda n: 7 / n)]
    assert chosen(*fragile) == "b"


TABLE = [Example(slots={"n": 20}, returns=40), Example(slots={"n": 30}, returns=60)]


def test_what_has_the_examples_by_heart_loses_even_where_most_do():
    by_heart = [candidate(f"s{n}", lambda n: 40 if n == 20 else 60) for n in range(3)]
    choice = choose([*by_heart, candidate("longer", lambda n: 2 * n)], INPUTS, TABLE)
    assert (choice.groups[0].first.source, choice.is_rote) == ("longer", False)
    (doubt,) = choice.doubts
    assert [group.first.source for group in doubt[1]] == ["longer", "s0"]
    one = choose([*by_heart[:1], *[candidate(f"l{n}", lambda n: 2 * n) for n in range(2)]], INPUTS, TABLE)
    assert one.doubts == []


def test_alone_it_is_chosen_and_known_for_what_it_is():
    assert choose([candidate("a", lambda _: 60)], INPUTS, TABLE).is_rote
    assert not choose([candidate("a", lambda n: 2 * n)], INPUTS, TABLE).is_rote


def test_a_constant_that_two_examples_show_is_none_by_heart():
    same = [Example(slots={"n": 20}, returns="kg"), Example(slots={"n": 30}, returns="kg")]
    constant = [candidate(f"a{n}", lambda _: "kg") for n in range(2)]
    choice = choose([*constant, candidate("b", str)], INPUTS, same)
    assert (choice.groups[0].first.source, choice.is_rote) == ("a0", False)


def test_to_answer_yes_or_no_is_no_feat_of_memory():
    shown = [Example(slots={"n": 20}, returns=True), Example(slots={"n": 21}, returns=False)]
    assert not choose([candidate("a", lambda n: n % 2 == 0)], INPUTS, shown).is_rote


def test_what_makes_nothing_of_a_slot_that_others_need_loses_at_equal_weight():
    inputs = [
        Input({("slots", "price"): price, ("slots", "percent"): percent}, is_edge=False, moved=(0, ("slots", moved)))
        for price, percent, moved in [(1, 20, "price"), (2, 20, "price"), (100, 5, "percent"), (100, 7, "percent")]
    ]

    def made(source, run):
        outcomes = [{"returns": run(given.slots["price"], given.slots["percent"])} for given in inputs]
        return Candidate(source, source, 1.0, 1, outcomes)

    literal, right = made("a", lambda price, _: price * 0.8), made("longer", lambda price, off: price * (1 - off / 100))
    assert choose([literal, right], inputs, []).groups[0].first.source == "longer"


def test_a_majority_is_in_no_doubt_of_a_stray_but_of_a_rival():
    most = [candidate(f"a{n}", lambda n: n) for n in range(4)]
    assert choose([*most, candidate("b", abs)], INPUTS, []).doubts == []  # differs on an edge alone
    assert choose([*most, candidate("b", lambda n: n + 1)], INPUTS, []).doubts == []
    rivals = [candidate(f"b{n}", lambda n: n + 1) for n in range(2)]
    doubts = choose([*most, *rivals], INPUTS, []).doubts
    assert [(INPUTS[n].slots, groups[1].first.source) for n, groups in doubts] == [({"n": 0}, "b0")]


def test_many_strays_that_say_another_thing_each_are_a_doubt_together():
    most = [candidate(f"a{n}", lambda n: n) for n in range(4)]
    strays = [candidate(f"b{k}", lambda n, k=k: n + k + 1) for k in range(3)]
    assert len(choose([*most, *strays], INPUTS, []).doubts[0][1]) == 4
