"""The overlay against the plainest model of it: a stack of whole copies."""

from __future__ import annotations

import pytest
import transaction
from hypothesis import given
from hypothesis import strategies as st
from ZODB import DB
from ZODB.MappingStorage import MappingStorage

from actors.orchestrator.primitives.cloning import clone_in
from actors.orchestrator.thinking.overlay import Overlay
from protocol.codec import Ref
from protocol.errors import BatosError
from world.awakening import awaken
from world.store import commit
from world.uvm import UvmObject
from world.values import oid_of

NAMES = st.sampled_from(["a", "b", "c"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("push")),
        st.tuples(st.just("merge")),
        st.tuples(st.just("drop")),
        st.tuples(st.just("write"), st.integers(0, 1), NAMES, st.integers(0, 9)),
        st.tuples(st.just("remove"), st.integers(0, 1), NAMES),
    ),
    max_size=30,
)


@pytest.fixture(scope="module")
def world():
    database = DB(MappingStorage())
    awaken(database)
    with commit(database, user="test", description="objects") as connection:
        parent = UvmObject("parent", a=100, b=200)
        child = UvmObject("child", a=1)
        child.set_slot("parent*", parent)
        for here in (parent, child):
            connection.add(here)
        oids = [oid_of(parent), oid_of(child)]
    manager = transaction.TransactionManager(explicit=True)
    connection = database.open(manager)
    manager.begin()
    yield connection, oids
    manager.abort()
    connection.close()
    database.close()


@given(STEPS)
def test_layers_are_savepoints(world, steps):
    connection, oids = world
    overlay = Overlay(connection)
    model = [[{"a": 100, "b": 200}, {"a": 1}]]
    for step in steps:
        match step:
            case ("push",):
                overlay.push()
                model.append([dict(slots) for slots in model[-1]])
            case ("merge",) if len(model) > 1:
                overlay.merge()
                model[-2:] = [model[-1]]
            case ("drop",) if len(model) > 1:
                overlay.drop()
                model.pop()
            case ("write", which, name, value):
                overlay.write(oids[which], {name: value})
                model[-1][which][name] = value
            case ("remove", which, name):
                overlay.write(oids[which], {}, [name])
                model[-1][which].pop(name, None)
        for oid, expected in zip(oids, model[-1], strict=True):
            assert {name: value for name, value in overlay.own(oid).items() if name in "abc"} == expected
        parent, child = model[-1]
        assert overlay.visible(oids[1], kernel=False) == {**parent, **child}


def test_a_lookup_notes_all_that_it_passed(world):
    connection, (parent, child) = world
    overlay = Overlay(connection)
    assert overlay.lookup(child, "missing") is None
    noted = set(overlay.reads)
    for oid in (parent, child):
        assert connection.get(bytes.fromhex(oid))._slots._p_oid.hex() in noted


def test_what_an_object_of_the_mandate_lacks_is_no_read_of_the_world(world):
    connection, _ = world
    overlay = Overlay(connection)
    made = overlay.add({"x": 1})
    assert overlay.lookup(made.oid, "missing") is None
    assert overlay.reads == {}


def test_a_clone_in_the_overlay_obeys_the_rules_of_deepcopy(world):
    connection, (parent, child) = world
    overlay = Overlay(connection)
    part = overlay.add({"x": [1]})
    whole = overlay.add({"part": part, "named": Ref(parent), "parent*": Ref(child), "me": [part]})
    overlay.write(part.oid, {"whole": whole})
    twin = clone_in(overlay, whole.oid)
    slots = overlay.own(twin.oid)
    assert slots["named"] == Ref(parent)
    assert slots["parent*"] == Ref(child)
    assert slots["part"] != part
    assert slots["me"] == [slots["part"]]
    assert overlay.own(slots["part"].oid)["whole"] == twin


def test_a_snapshot_too_large_for_the_jail_is_refused(world):
    connection, _ = world
    overlay = Overlay(connection)
    made = overlay.add({"x": "y" * 2_000_000})
    with pytest.raises(BatosError, match="over the limit"):
        overlay.visible(made.oid, kernel=False)
