"""A new world holds all that its contract names, once, and awakening twice changes nothing."""

from __future__ import annotations

import pytest

from protocol import names
from protocol.errors import BatosError
from world import awakening
from world.method import UvmMethod
from world.root import KERNEL_OBJECTS, get, is_kernel, resolve
from world.store import commit, snapshot
from world.uvm import UvmObject, lookup
from world.values import oid_of


@pytest.fixture
def world(db):
    awakening.awaken(db)
    return db


def test_the_root_holds_all_named_objects(world):
    with snapshot(world) as connection:
        root = connection.root()
        for name in KERNEL_OBJECTS:
            assert resolve(connection, name) is root[name]
        assert set(root) >= {"personas", "objects", "applied", "outbox", "cursor", "proposals", "schema_version"}
        assert len(root["orchestrator_obj"].active_cycles) == 0
        assert len(root["pLLM_obj"].lora_repository) == 0


def test_each_state_has_its_behaviour_as_source(world):
    with snapshot(world) as connection:
        states = connection.root()["psm_prototypes_obj"]
        sources = {state: states._slots[state]._process_synthesis_.source for state in names.STATES}
        assert all("def _process_synthesis_(self)" in source for source in sources.values())
        assert len(set(sources.values())) == len(names.STATES)


def test_awakening_twice_changes_nothing(world):
    before = world.lastTransaction()
    assert awakening.awaken(world) == awakening.CURRENT
    assert world.lastTransaction() == before


def test_an_edited_kernel_method_stays_edited(world):
    with commit(world, user="test", description="edit") as connection:
        edited = UvmMethod("_process_synthesis_", source="def _process_synthesis_(self):\n    pass\n")
        connection.root()["psm_prototypes_obj"].IDLE.set_slot("_process_synthesis_", edited)
    awakening.awaken(world)
    with snapshot(world) as connection:
        assert connection.root()["psm_prototypes_obj"].IDLE._process_synthesis_.sha256 == edited.sha256


def test_an_older_world_takes_the_steps_it_lacks_and_keeps_what_was_edited(db):
    with commit(db, user="test", description="an older world, with an edit") as connection:
        awakening._first(connection)
        connection.root()["schema_version"] = 1
        states = connection.root()["psm_prototypes_obj"]
        edited = UvmMethod("_process_synthesis_", source="def _process_synthesis_(self):\n    pass\n", author="c1")
        older = UvmMethod("_process_synthesis_", source="def _process_synthesis_(self):\n    return 1\n")
        states.IDLE.set_slot("_process_synthesis_", edited)
        states.COMPLETE.set_slot("_process_synthesis_", older)
    assert awakening.awaken(db) == awakening.CURRENT
    image = {(method.holder, method.selector): method.source for method in awakening.image()}
    with snapshot(db) as connection:
        root = connection.root()
        states = root["psm_prototypes_obj"]
        assert states.IDLE._process_synthesis_.sha256 == edited.sha256
        assert states.COMPLETE._process_synthesis_.source == image["COMPLETE", "_process_synthesis_"]
        assert set(root["personas"]) == {"ALFRED", "BABS", "BRICK", "ROBIN"}
        assert root["personas"]["ROBIN"].adopt_expert_.author == "awakening"
        assert root["cursor"]["outbox"] == 0
        assert root["pLLM_obj"].delete_adapter.primitive == "delete_adapter"
        assert len(root["proposals"]) == 0


def test_an_older_world_learns_what_a_thread_understands(world):
    with commit(world, user="test", description="as it was before threads") as connection:
        root = connection.root()
        del root["thread_traits"]
        root["schema_version"] = 9
    assert awakening.awaken(world) == awakening.CURRENT
    with snapshot(world) as connection:
        traits = resolve(connection, "thread_traits")
        assert "self.turns" in traits.keep_turn_.source
        assert traits._slots["parent*"] is connection.root()["traits_obj"]


def test_every_selector_of_the_kernel_stands_in_the_world(world):
    with snapshot(world) as connection:
        root = connection.root()
        holders = [resolve(connection, name) for name in KERNEL_OBJECTS]
        holders += [root["psm_prototypes_obj"]._slots[state] for state in names.STATES]
        standing = {slot for holder in holders for slot, value in holder._slots.items() if isinstance(value, UvmMethod)}
    assert standing >= names.KERNEL_SELECTORS


def test_every_file_of_the_image_is_one_method_of_that_name():
    methods = list(awakening.image())
    holders = {"traits_obj", "cycle_traits", "persona_traits", "thread_traits", "orchestrator_obj", *names.STATES}
    assert {method.holder for method in methods} == holders
    for method in methods:
        assert method.source.startswith(f"def {method.selector}(self"), method


def test_a_selector_of_the_image_can_be_sent():
    for method in awakening.image():
        assert names.is_selector(method.selector), method


def test_names_resolve_in_order(world):
    with commit(world, user="test", description="names") as connection:
        root = connection.root()
        root["objects"]["box"] = UvmObject("box", x=1)
        root["personas"]["box"] = UvmObject("other")
    with snapshot(world) as connection:
        box = resolve(connection, "box")
        assert box.x == 1
        assert resolve(connection, oid_of(box)) is box
        with pytest.raises(BatosError, match="no object is called 'bax'"):
            resolve(connection, "bax")
        with pytest.raises(BatosError, match="no object has the OID"):
            get(connection, "00000000000fffff")
        with pytest.raises(BatosError, match="no object has the OID"):
            get(connection, oid_of(box._slots))


def test_what_is_kernel(world):
    with commit(world, user="test", description="objects") as connection:
        root = connection.root()
        mine = UvmObject("mine")
        mine.set_slot("parent*", root["traits_obj"])
        thought = UvmObject("thought")
        thought.set_slot("parent*", root["cycle_traits"])
        root["objects"].update({"mine": mine, "thought": thought})
    with snapshot(world) as connection:
        root = connection.root()
        assert is_kernel(root["traits_obj"])
        assert is_kernel(root["psm_prototypes_obj"].IDLE)
        assert is_kernel(root["objects"]["thought"])
        assert not is_kernel(root["objects"]["mine"])


def test_every_object_inherits_the_answer_to_what_it_does_not_understand(world):
    with snapshot(world) as connection:
        for name in (*KERNEL_OBJECTS, *connection.root()["personas"]):
            found = lookup(resolve(connection, name), "_doesNotUnderstand_")
            assert found is not None
            assert found.holder._name == "traits_obj"
