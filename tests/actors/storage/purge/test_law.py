"""A law of purging: whatever was remembered, changed, moved and forgotten, all that was not forgotten reads as before at all moments."""

from __future__ import annotations

import tempfile

import pytest
import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.storage.purge import purging
from actors.storage.purge.purging import Asked
from tests.actors.storage.purge.worlds import World, change, forget, history, make, moments, move, remember, said

IDS = ["a", "b", "c"]
STEP = st.one_of(
    st.tuples(st.just("remember"), st.sampled_from(IDS), st.integers(0, 3)),
    st.tuples(st.just("forget"), st.sampled_from(IDS), st.just(0)),
    st.tuples(st.just("move"), st.sampled_from(IDS), st.integers(0, 2)),
    st.tuples(st.just("change"), st.sampled_from(["x", "y"]), st.integers(0, 9)),
    st.tuples(st.just("undo"), st.just(""), st.integers(0, 2)),
)


class Model:
    """What is remembered under which id, and the texts that each has ever had; those of what was forgotten are `gone`."""

    def __init__(self):
        self.now = {}
        self.ever = {}
        self.gone = set()
        self.serial = 0

    def text(self, kind):
        self.serial += 1
        return f"passage {kind} with the number {self.serial:05} of its own"

    def remember(self, doc_id, text):
        self.now[doc_id] = text
        self.ever.setdefault(doc_id, set()).add(text)

    def forget(self, doc_id):
        del self.now[doc_id]
        self.gone |= self.ever.pop(doc_id)

    def move(self, doc_id, to):
        self.now[to] = self.now.pop(doc_id)
        self.ever[to] = self.ever.pop(doc_id) | self.ever.pop(to, set())


def play(db, model, steps):
    make(db, "x", n=0)
    make(db, "y", n=0)
    for what, on, number in steps:
        if what == "change":
            change(db, on, n=number, words=[f"{on} has {number}"])
        elif what == "undo":
            _undo(db)
        elif what == "remember":
            text = model.text(number)
            remember(db, on, text)
            model.remember(on, text)
        elif what == "forget" and on in model.now:
            forget(db, on)
            model.forget(on)
        elif what == "move" and on in model.now and (to := IDS[number]) not in model.now:
            move(db, on, to, model.now[on])
            model.move(on, to)


def _undo(db):
    """The last change of an object is undone, which writes records that point back to others."""
    last = next((each for each in db.undoLog(0, -20) if each["description"].startswith("set ")), None)
    if last is not None:
        manager = transaction.TransactionManager()
        db.undo(last["id"], manager.get())
        try:
            manager.commit()
        except Exception:  # noqa: BLE001 - it was undone already
            manager.abort()


@pytest.fixture(scope="module")
def awake(tmp_path_factory):
    return World(tmp_path_factory.mktemp("awake"))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEP, min_size=3, max_size=25))
def test_what_was_not_forgotten_reads_as_before(awake, steps):
    with tempfile.TemporaryDirectory() as folder:
        world, model = World(folder, awake), Model()
        with world.opened() as db:
            play(db, model, steps)
            before, log = {tid: said(db, tid) for tid in moments(db)}, history(db)
        purging.purge(world.home, Asked())
        everything = world.bytes()
        for text in model.gone:
            assert text.encode() not in everything
        assert world.problems() == []
        with world.opened() as db:
            assert history(db) == log
            after = {tid: said(db, tid) for tid in moments(db)}
            assert {tid: now and now[0] for tid, now in after.items()} == {
                tid: now and now[0] for tid, now in before.items()
            }
            for tid, now in before.items():
                for doc_id, texts in () if now is None else now[1].items():
                    assert after[tid][1][doc_id] == ([] if set(texts) & model.gone else texts)
