"""The index says which methods use a name, exactly what a walk through the world finds, and follows every change."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ZODB import DB
from ZODB.MappingStorage import MappingStorage

from world import history
from world.awakening import awaken
from world.finding import mentions, reach
from world.method import UvmMethod
from world.store import commit, snapshot
from world.uvm import UvmObject

SOURCES = {
    "area_": "def area_(self):\n    return self.breadth * self.height\n",
    "twice_": "def twice_(self, other):\n    return other.area_() * 2\n",
    "all_": "def all_(self):\n    return self.send_all_([[self.of, 'area_', [], {}]])\n",
}


@pytest.fixture
def db():
    opened = DB(MappingStorage())
    awaken(opened)
    yield opened
    opened.close()


def told(db, name):
    with snapshot(db) as connection:
        return sorted(f"{holder._name}.{method.selector}" for holder, method in mentions.using(connection, name))


def put(db, name, selector):
    with commit(db, user="test", description="put") as connection:
        objects = connection.root()["objects"]
        if name not in objects:
            objects[name] = UvmObject(name)
            connection.add(objects[name])
        history.put(objects[name], selector, UvmMethod(selector, source=SOURCES[selector]), author="test", why="")


def test_who_uses_a_name_is_found_whether_as_an_attribute_or_as_a_text(db):
    for selector in SOURCES:
        put(db, "box", selector)
    assert told(db, "area_") == ["box.all_", "box.twice_"]
    assert told(db, "breadth") == ["box.area_"]
    assert told(db, "area") == []


def test_what_is_replaced_or_taken_away_is_found_no_longer(db):
    put(db, "box", "area_")
    with commit(db, user="test", description="other") as connection:
        box = connection.root()["objects"]["box"]
        history.put(
            box, "area_", UvmMethod("area_", source="def area_(self):\n    return self.size\n"), author="", why=""
        )
    assert (told(db, "breadth"), told(db, "size")) == ([], ["box.area_"])
    with commit(db, user="test", description="drop") as connection:
        history.drop(connection.root()["objects"]["box"], "area_", author="", why="")
    assert told(db, "size") == []


def test_an_object_that_is_gone_with_a_pack_is_passed_over(db):
    put(db, "box", "area_")
    with commit(db, user="test", description="gone") as connection:
        del connection.root()["objects"]["box"]
    db.pack()
    db.cacheMinimize()
    assert told(db, "breadth") == []


def test_a_world_of_before_gets_the_index(db):
    put(db, "box", "twice_")
    with commit(db, user="test", description="as before") as connection:
        del connection.root()[mentions.INDEX]
    before = db.lastTransaction()
    awaken(db)
    assert told(db, "area_") == ["box.twice_"]
    after = db.lastTransaction()
    awaken(db)
    assert before < after == db.lastTransaction()


def test_it_is_built_for_many_objects_though_what_was_read_is_let_go_again(db, monkeypatch):
    monkeypatch.setattr(reach, "_MANY", 2)
    for name in "abcdefg":
        put(db, name, "twice_")
    with commit(db, user="test", description="as before") as connection:
        del connection.root()[mentions.INDEX]
    awaken(db)
    assert told(db, "area_") == [f"{name}.twice_" for name in "abcdefg"]


def test_the_kernels_own_methods_are_in_it(db):
    assert "cycle_traits.adopt_known_" in told(db, "kin_")


STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "drop", "share"]), st.sampled_from(["a", "b", "c"]), st.sampled_from([*SOURCES]))
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_after_any_changes_it_is_what_would_be_built_anew(db, steps):
    for step, name, selector in steps:
        if step == "put":
            put(db, name, selector)
            continue
        with commit(db, user="test", description=step) as connection:
            here = connection.root()["objects"].get(name)
            if here is None or selector not in here._slots:
                continue
            if step == "drop":
                history.drop(here, selector, author="", why="")
            else:
                other = connection.root()["objects"].setdefault("d", UvmObject("d"))
                if other._p_jar is None:
                    connection.add(other)
                history.put(other, selector, here._slots[selector], author="", why="")
    with snapshot(db) as connection:
        kept = {part: list(tree) for part, tree in connection.root()[mentions.INDEX].items()}
        mentions.build(connection, (here for _, here in reach.objects(connection)))
        assert kept == {part: list(tree) for part, tree in connection.root()[mentions.INDEX].items()}
