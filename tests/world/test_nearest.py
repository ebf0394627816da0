"""Names that were meant: near ones are found, and the work is bounded whatever the names are."""

from __future__ import annotations

import pytest
from BTrees.OOBTree import OOBTree
from hypothesis import given, settings
from hypothesis import strategies as st

from world.nearest import MOST, SEEKS, in_list, in_tree, nearest

MANY = OOBTree({f"object{number:05d}": number for number in range(20_000)})
LETTERS = st.sampled_from("abcXYZ19_-.é")


@pytest.mark.parametrize(
    "wanted",
    ["objecx00500", "objet00500", "obbject00500", "jobect00500", "object_00500", "qobject00500", "OBJECT00500"],
)
def test_one_slip_is_forgiven_wherever_it_is(wanted):
    assert nearest(in_tree(MANY), wanted)[0] == "object00500"


def test_two_slips_are_forgiven_in_a_name_that_is_not_tiny():
    names = in_list(["counter", "ledger", "lodge"])
    assert nearest(names, "kounterr") == ["counter"]
    assert nearest(names, "legder") == ["ledger"]
    assert nearest(in_list(["abc"]), "axy") == []


def test_the_nearest_comes_first_and_no_more_than_a_few_come():
    assert nearest(in_list(["box", "boxes", "fox"]), "bux") == ["box"]
    assert len(nearest(in_tree(MANY), "object0050")) <= MOST


def test_a_name_that_was_left_unfinished_is_found_by_its_beginning():
    assert nearest(in_list(["storehouse-north", "storehouse-south", "street"]), "storehouse") == [
        "storehouse-north",
        "storehouse-south",
    ]
    assert nearest(in_list(["storehouse"]), "stove-of-the-cook") == ["storehouse"]


@pytest.mark.parametrize("names", [[], ["Éa"], ["\U0010ffffa", "b"]])
def test_no_names_and_strange_names_break_nothing(names):
    found = sorted(names)
    assert nearest(in_list(found), "zzz") == []
    assert nearest(in_list(found), "éaz") == [name for name in found if name == "Éa"]


@pytest.mark.parametrize("wanted", ["object", "xxxxx", "o" * 100, "object0" * 14, "9876543210", "oobbjjeecctt"])
def test_the_work_is_bounded(wanted):
    looked = 0
    seek = in_tree(MANY)

    def counted(text):
        nonlocal looked
        looked += 1
        return seek(text)

    nearest(counted, wanted)
    assert looked <= SEEKS + MOST * len(wanted) + 1


@settings(max_examples=200)
@given(st.sets(st.text(LETTERS, min_size=1, max_size=6), max_size=30), st.data())
def test_any_name_with_one_letter_less_is_found(names, data):
    names = sorted(names)
    if not names:
        return
    meant = data.draw(st.sampled_from(names))
    place = data.draw(st.integers(0, len(meant) - 1))
    slip = meant[:place] + meant[place + 1 :]
    reach = [name for name in names if one_apart(name.lower(), slip.lower())]
    assert set(nearest(in_list(names), slip)) <= set(reach)
    assert len(nearest(in_list(names), slip)) == min(MOST, len(reach))


def one_apart(name, other):
    """At most one edit, by the definition: all edits of the shorter one are tried."""
    if name == other:
        return True
    if len(name) > len(other):
        name, other = other, name
    if len(name) == len(other):
        differ = [place for place in range(len(name)) if name[place] != other[place]]
        if len(differ) == 1:
            return True
        return (
            len(differ) == 2
            and differ[1] == differ[0] + 1
            and name[differ[0]] == other[differ[1]]
            and (name[differ[1]] == other[differ[0]])
        )
    return len(other) == len(name) + 1 and any(
        other[:place] + other[place + 1 :] == name for place in range(len(other))
    )
