"""One transaction, or nothing; once; and only onto the world that was thought about."""

from __future__ import annotations

import pytest

from actors.orchestrator.publish import Publication, applied, applied_mandates, begin, is_empty, publish, retire
from actors.orchestrator.thinking.asks import Begin
from actors.orchestrator.thinking.overlay import Draft, Memo
from protocol.codec import Ref
from protocol.errors import BatosError
from world.store import commit, snapshot


def publication(thought, mandate="m1", **changed):
    facts = {"selector": "area_", "cycles": [], "reply": b"reply", "finished": []} | changed
    return Publication(mandate=mandate, changes=thought.overlay.changes(), reads=dict(thought.overlay.reads), **facts)


def draft(source="def area_(self):\n    return 1\n"):
    return Draft(
        selector="area_",
        source=source,
        sha256="s",
        parameters=[],
        author="c1",
        model="digest",
        examples=[{"args": [], "returns": 1}],
    )


def test_slots_methods_and_the_entry_land_together(db, make, think, stored):
    box = make("box", width=1, gone=2)
    thought = think()
    thought.overlay.write(box, {"width": [1, {"k": Ref(box)}], "area_": draft()}, ["gone"])
    tid = publish(db, publication(thought))
    slots = stored("box")
    with snapshot(db) as connection:
        box_now = connection.root()["objects"]["box"]
        assert box_now.width[1]["k"] is box_now
        assert "gone" not in box_now._slots
        method = box_now.area_
        assert (method.source, method.author, method.model) == (draft().source, "c1", "digest")
        assert dict(method.examples[0]) == {"args": [], "returns": 1}
    assert "width" in slots
    assert applied(db, "m1").tid == tid
    assert applied(db, "m1").reply == b"reply"


def test_the_same_mandate_is_published_once(db, make, think, stored):
    box = make("box", width=1)
    thought = think()
    thought.overlay.write(box, {"width": 2})
    first = publish(db, publication(thought))
    last = db.lastTransaction()
    assert publish(db, publication(thought)) == first
    assert db.lastTransaction() == last


@pytest.mark.parametrize("touched", ["width", "other"])
def test_a_read_that_changed_meanwhile_is_a_conflict_and_nothing_is_written(db, make, think, stored, touched):
    box = make("box", width=1)
    thought = think()
    thought.overlay.lookup(box, "missing_")
    thought.overlay.write(box, {"width": 2})
    with commit(db, user="test", description="meanwhile") as connection:
        connection.root()["objects"]["box"].set_slot(touched, 5)
    before = stored("box")
    with pytest.raises(BatosError) as caught:
        publish(db, publication(thought))
    assert caught.value.code == "CONFLICT"
    assert stored("box") == before
    assert applied(db, "m1") is None


def test_a_changed_container_is_a_conflict_too(db, make, think):
    box = make("box", items=[1])
    thought = think()
    thought.overlay.visible(box, kernel=False)
    thought.overlay.write(box, {"seen": True})
    with commit(db, user="test", description="meanwhile") as connection:
        connection.root()["objects"]["box"].items.append(2)
    with pytest.raises(BatosError, match="changed by another"):
        publish(db, publication(thought))


def test_what_was_not_read_may_change(db, make, think, stored):
    box, other = make("box", width=1), make("other", x=1)
    thought = think()
    thought.overlay.visible(box, kernel=False)
    thought.overlay.write(box, {"width": 2})
    with commit(db, user="test", description="meanwhile") as connection:
        connection.root()["objects"]["other"].x = 2
    publish(db, publication(thought))
    assert (stored("box")["width"], stored("other")["x"]) == (2, 2)
    assert other != box


def test_finished_mandates_are_forgotten(db, make, think):
    box = make("box", width=1)
    for number, mandate in enumerate(["m1", "m2"]):
        thought = think()
        thought.overlay.write(box, {"width": number})
        publish(db, publication(thought, mandate=mandate, finished=["m1"] if mandate == "m2" else []))
    assert applied_mandates(db) == ["m2"]


def ask_begin(target):
    return Begin(
        cycle="c1",
        path="m",
        target=Ref(target),
        selector="area_",
        slots={"mission_brief": {"type": "unhandled_message"}, "target": Ref(target)},
    )


def test_a_cycle_is_visible_from_its_begin_to_its_end(db, make, think):
    box = make("box")
    context = begin(db, "m1", ask_begin(box))
    assert begin(db, "m1", ask_begin(box)) == context
    with snapshot(db) as connection:
        active = connection.root()["orchestrator_obj"].active_cycles
        assert list(active) == ["c1"]
        assert active["c1"].mission_brief["type"] == "unhandled_message"
        assert active["c1"].rounds > 0
    thought = think()
    thought.overlay.add({}, oid=context.oid, keep=False)
    assert is_empty(thought.overlay.changes())
    publish(db, publication(thought, cycles=["c1"]))
    with snapshot(db) as connection:
        assert len(connection.root()["orchestrator_obj"].active_cycles) == 0


def test_a_failed_cycle_leaves_nothing_but_history(db, make):
    box = make("box")
    begin(db, "m1", ask_begin(box))
    retire(db, "m1", ["c1"], Memo("failure:c1", "why", {"kind": "failure"}))
    with snapshot(db) as connection:
        assert len(connection.root()["orchestrator_obj"].active_cycles) == 0
        assert [dict(entry) for entry in connection.root()["outbox"].values()] == [
            {"doc_id": "failure:c1", "text": "why", "metadata": {"kind": "failure"}}
        ]
    assert applied(db, "m1") is None


def test_what_memory_is_to_know_lands_with_the_rest_and_goes_when_it_is_known(db, make, think):
    make("box")
    for number, expected in [(1, [1]), (2, [1, 2])]:
        thought = think()
        thought.overlay.remember(Memo(f"note:{number}", "text", {"at": [number]}))
        assert not is_empty(thought.overlay.changes())
        publish(db, publication(thought, mandate=f"m{number}"))
        with snapshot(db) as connection:
            assert list(connection.root()["outbox"]) == expected
    with commit(db, user="memory", description="the cursor") as connection:
        connection.root()["cursor"]["outbox"] = 2
    thought = think()
    thought.overlay.remember(Memo("note:3", "text", {}))
    publish(db, publication(thought, mandate="m3"))
    with snapshot(db) as connection:
        outbox = connection.root()["outbox"]
        assert [(number, entry["doc_id"]) for number, entry in outbox.items()] == [(3, "note:3")]
