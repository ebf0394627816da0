"""Proposals as the world keeps them: each once, those that wait for as long as it takes, of the settled ones the last."""

from __future__ import annotations

import pytest

from world import awakening, history
from world.method import UvmMethod
from world.store import commit, snapshot
from world.uvm import UvmObject
from world.values import oid_of


@pytest.fixture
def world(db):
    awakening.awaken(db)
    with commit(db, user="test", description="a box") as connection:
        box = connection.root()["objects"]["box"] = UvmObject("box")
        connection.add(box)
    return db


def proposal(connection, id_, selector="area_"):
    return history.UvmProposal(
        id_,
        connection.root()["objects"]["box"],
        UvmMethod(selector, source=f"def {selector}(self):\n    return 1\n"),
        message={},
        found={},
        mandate="m1",
        body=b"",
        attempt=1,
        reads={},
        replaces="",
        diff="",
    )


def test_a_proposal_that_is_made_again_is_the_one_that_waits(world):
    for _ in range(2):
        with commit(world, user="test", description="propose") as connection:
            history.propose(connection, proposal(connection, "a"))
        with snapshot(world) as connection:
            (one,) = history.proposals(connection)
            made = one.made
    with snapshot(world) as connection:
        (one,) = history.proposals(connection)
        assert (one.made, one.state, one.settled) == (made, "waiting", None)


def test_what_is_proposed_for_a_message_is_found_settled_or_not(world):
    with commit(world, user="test", description="propose") as connection:
        for id_, selector in (("a", "area_"), ("b", "depth_"), ("c", "area_")):
            history.propose(connection, proposal(connection, id_, selector))
        history.settle(connection, "a", state=history.REJECTED, by="user:me", because="no")
    with snapshot(world) as connection:
        box = oid_of(connection.root()["objects"]["box"])
        assert [(one.id, one.state) for one in history.proposed(connection, box, "area_")] == [
            ("a", "rejected"),
            ("c", "waiting"),
        ]
        assert [one.id for one in history.proposals(connection)] == ["b", "c"]
        assert history.proposed(connection, "0" * 16, "area_") == []


def test_of_the_settled_ones_the_last_are_kept_and_of_those_that_wait_all(world, monkeypatch):
    monkeypatch.setattr(history, "MOST_SETTLED", 2)
    with commit(world, user="test", description="propose") as connection:
        for number in range(6):
            history.propose(connection, proposal(connection, str(number)))
        for number in (1, 0, 3, 2):
            history.settle(connection, str(number), state=history.ACCEPTED, by="user:me", because="")
    with snapshot(world) as connection:
        assert sorted(connection.root()["proposals"]) == ["2", "3", "4", "5"]
