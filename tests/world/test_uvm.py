"""Slots, delegation and clones, on objects that no database holds; persistence is in test_persistence.py."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from persistent.list import PersistentList
from persistent.mapping import PersistentMapping
from ZODB.blob import Blob

from world.method import UvmMethod
from world.uvm import UvmObject, delegation, depth_first, lookup

LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary())
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)
SLOT_NAMES = st.sampled_from(["a", "b", "c", "d"])


@st.composite
def graphs(draw):
    """A few objects that delegate to each other in any way, cycles among them."""
    objects = [UvmObject() for _ in range(draw(st.integers(1, 6)))]
    for number, here in enumerate(objects):
        for name in draw(st.lists(SLOT_NAMES, unique=True, max_size=3)):
            here.set_slot(name, (number, name))
        for slot in draw(st.lists(st.sampled_from(["parent*", "state*", "other*"]), unique=True, max_size=3)):
            here.set_slot(slot, draw(st.sampled_from(objects)))
    return objects


def recursive_lookup(here, name, seen):
    """The definition: own slots first, then each parent in order, each object once."""
    if id(here) in seen:
        return None
    seen.add(id(here))
    if name in here._slots:
        return here._slots[name]
    for parent in here.parents():
        found = recursive_lookup(parent, name, seen)
        if found is not None:
            return found
    return None


@given(graphs(), SLOT_NAMES)
def test_lookup_is_the_depth_first_definition(objects, name):
    for start in objects:
        expected = recursive_lookup(start, name, set())
        found = lookup(start, name)
        assert (found.value if found else None) == expected


@given(graphs())
def test_delegation_meets_each_object_once(objects):
    for start in objects:
        met = [id(here) for here in delegation(start)]
        assert met[0] == id(start)
        assert len(met) == len(set(met))


def test_a_cycle_of_parents_ends_in_a_clean_miss():
    one, other = UvmObject(), UvmObject()
    one.set_slot("parent*", other)
    other.set_slot("parent*", one)
    with pytest.raises(AttributeError, match="understands no 'x'"):
        _ = one.x


def test_writing_writes_the_own_slot():
    parent = UvmObject(width=1)
    child = UvmObject()
    child.set_slot("parent*", parent)
    assert child.width == 1
    child.width = 2
    assert (child.width, parent.width) == (2, 1)
    del child.width
    assert child.width == 1
    with pytest.raises(AttributeError):
        del child.width


@given(VALUES)
def test_containers_are_coerced_all_the_way_down(value):
    def plain_containers(item):
        if isinstance(item, (PersistentList, PersistentMapping)):
            inner = item.values() if isinstance(item, PersistentMapping) else item
            return any(plain_containers(part) for part in inner)
        return isinstance(item, (list, dict, tuple))

    here = UvmObject(value=value)
    assert not plain_containers(here._slots["value"])


@given(VALUES)
def test_a_clone_shares_no_data(value):
    original = UvmObject(data=[value], extra={"k": [1]})
    clone = deepcopy(original)
    assert clone._slots == original._slots
    assert clone._slots is not original._slots
    clone.extra["k"].append(2)
    clone.data.append("more")
    assert list(original.extra["k"]) == [1]
    assert len(original.data) == 1


def test_a_clone_shares_parents_methods_blobs_and_named_objects():
    parent = UvmObject()
    method = UvmMethod("area_", source="def area_(self):\n    return 1\n")
    blob = Blob(b"bytes")
    friend = UvmObject("friend")
    owned = UvmObject(x=[1])
    original = UvmObject("original", area_=method, blob=blob, friend=friend, owned=owned)
    original.set_slot("parent*", parent)
    clone = deepcopy(original)
    assert clone._name is None
    assert clone._slots["parent*"] is parent
    assert clone.area_ is method
    assert clone.blob is blob
    assert clone.friend is friend
    assert clone.owned is not owned
    clone.owned.x.append(2)
    assert list(owned.x) == [1]


def test_a_clone_of_a_cycle_is_a_cycle_of_its_own():
    original = UvmObject("original")
    part = UvmObject()
    original.part = part
    part.whole = original
    original.again = [part, original]
    clone = deepcopy(original)
    assert clone.part is not part
    assert clone.part.whole is clone
    assert clone.again[0] is clone.part
    assert clone.again[1] is clone


def test_a_container_that_holds_itself_is_copied():
    original = UvmObject(items=[])
    original.items.append(original.items)
    clone = deepcopy(original)
    assert clone.items[0] is clone.items
    assert clone.items is not original.items


def test_the_order_of_delegation_is_the_same_for_whatever_stands_for_an_object():
    parents = {"a": ["b", "c"], "b": ["d", "a"], "c": ["d", "c"], "d": []}
    asked = []

    def of(name):
        asked.append(name)
        return parents[name]

    order = depth_first("a", of)
    assert next(order) == "a"
    assert asked == [], "whoever finds it at once reads nothing more"
    assert list(order) == ["b", "d", "c"]
    assert asked == ["a", "b", "d", "c"]
