"""The bench of messages and cycles, as far as it can be checked without a clock: its homes, its notes, its claims."""

from __future__ import annotations

import sqlite3
import sys

import pytest
from ZODB import DB
from ZODB.FileStorage import FileStorage

from actors.guardian.jail.jail import Jail
from actors.orchestrator.journal.journal import Journal
from bench import cycles
from bench.cycles import Block, Notes, Plan, Size
from bench.running import homes
from protocol.home import Home
from protocol.messages import Judge
from world.root import is_kernel
from world.store import snapshot
from world.uvm import lookup

PLAN = Plan([Size("small", 10, 10), Size("large", 100, 10)], 2, 1.0)


async def test_what_is_measured_is_what_the_guardian_accepts():
    jail = Jail(workers=1)
    await jail.start()
    try:
        for source in (*homes.METHODS.values(), homes.PONDER, homes.AT_ONCE):
            assert (await jail.run(Judge(source=source, kernel=True))).accepted, source
    finally:
        await jail.close()


def test_a_world_has_as_many_objects_as_it_was_asked_for(short_path):
    home = Home(short_path / "home")
    homes.build_world(home, 50, 3)
    db = DB(FileStorage(str(home.database), blob_dir=str(home.blobs)))
    with snapshot(db) as connection:
        root = connection.root()
        assert len(root["objects"]) == 50
        measured = root["objects"][homes.worker(2)]
        assert {selector for selector in homes.METHODS if lookup(measured, selector)} == set(homes.METHODS)
        assert is_kernel(lookup(measured, "ponder_").holder)
    db.close()


async def test_a_journal_grows_by_copies_that_the_journal_itself_can_find(tmp_path):
    home = Home(tmp_path)
    journal = Journal(home.journal)

    def fill():
        for number in range(2):
            journal.begin(f"c{number}", f"m{number}", "m", "target", "area_")
            journal.enter(f"c{number}", "COMPLETE")
            row = {"mandate": f"m{number}", "key": f"k{number}", "state": "complete", "body": b"b", "reply": b"r"}
            known = {name[1]: name for name in journal._db.execute("PRAGMA table_info(mandates)")}
            needed = {name: 0.0 for name, column in known.items() if column[3] and column[4] is None and name != "seq"}
            values = {**needed, **row}
            marks = ", ".join("?" * len(values))
            journal._db.execute(f"INSERT INTO mandates ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))

    await journal.run(fill)
    journal.close()
    assert homes.grow_journal(home, 21) == 20
    assert homes.grow_journal(home, 5) == 20, "a journal that is large enough stays as it is"
    again = Journal(home.journal)
    copied = await again.run(lambda: again.by_id("m1-7"))
    assert (copied.mandate, copied.state) == ("m1-7", "complete")
    assert (await again.run(lambda: again.cycle("c0-9"))).mandate == "m0-9"
    again.close()


def test_a_whole_number_of_copies_never_passes_what_was_asked_for(tmp_path):
    db = sqlite3.connect(tmp_path / "journal.sqlite")
    db.execute("CREATE TABLE mandates (seq INTEGER PRIMARY KEY, mandate TEXT UNIQUE, state TEXT)")
    db.executemany("INSERT INTO mandates (mandate, state) VALUES (?, 'complete')", [("a",), ("b",), ("c",)])
    db.commit()
    db.close()
    assert homes.grow_journal(Home(tmp_path), 11) == 9


def test_notes_go_on_where_a_run_was_cut_off_and_begin_anew_for_another_one(tmp_path):
    file = tmp_path / "notes.jsonl"
    notes = Notes(file, PLAN)
    notes.add((0, "small", "status", 1), Block(5.0, 1.0))
    notes.add((1, "small", "status", 1), Block(10.0, 2.0))
    again = Notes(file, PLAN._replace(rounds=9))
    assert not again.lacks((1, "small", "status", 1))
    assert again.lacks((0, "small", "status", 1)), "the round 0 warms up"
    assert again.median("small", "status", 1) == Block(10.0, 2.0)
    assert again.median("large", "status", 1) is None
    assert Notes(file, PLAN._replace(seconds=2.0)).blocks == {}


def filled(large, peers):
    notes = Notes(None, PLAN)
    for what, at_once, _ in cycles.ROWS:
        notes.add((1, "small", what, at_once), Block(100.0, 10.0))
        notes.add((1, "large", what, at_once), Block(100.0 / large, 10.0 * large))
    for name, (rate, p50) in peers.items():
        for at_once in (1, cycles.AT_ONCE):
            notes.add((1, name, cycles.STEPS, at_once), Block(rate, p50))
    return notes


def test_what_grows_falls_short_and_what_does_not_is_flat():
    labels = {"dbos": "dbos 1", "langgraph": "langgraph 1"}
    peers = {"dbos": (40.0, 12.0), "langgraph": (50.0, 11.0)}
    claims = cycles.claims_of(PLAN, filled(1.1, peers), labels)
    assert all(claim.ok for claim in claims)
    assert len(claims) == 2 * len(cycles.ROWS) + 3
    assert [claim.ok for claim in cycles.claims_of(PLAN, filled(1.3, peers), labels)] == [False] * (len(claims) - 3) + [
        True
    ] * 3


@pytest.mark.parametrize(
    ("peers", "reached"),
    [
        ({"dbos": (40.0, 12.0), "langgraph": (60.0, 11.0)}, [True, False, True]),
        ({"dbos": (40.0, 12.0), "langgraph": (50.0, 9.0)}, [True, True, False]),
        ({"dbos": (101.0, 12.0), "langgraph": (50.0, 11.0)}, [False, False, True]),
    ],
)
def test_each_peer_is_to_be_reached(peers, reached):
    labels = {name: name for name in peers}
    assert [claim.ok for claim in cycles.claims_of(PLAN, filled(1.0, peers), labels)[-3:]] == reached


def test_a_peer_that_is_missing_is_said_to_be_not_measured():
    claims = cycles.claims_of(PLAN, filled(1.0, {}), {})[-3:]
    assert [(claim.ok, claim.peers, "not measured" in claim.target) for claim in claims] == [(False, {}, True)] * 3


def test_an_interpreter_without_the_peers_says_so(tmp_path):
    for name in cycles.PEERS:
        # -S leaves out whatever may be installed.
        program = tmp_path / f"python-{name}"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
        program.chmod(0o755)
        peer = cycles.Peer(str(program), name, tmp_path / name)
        peer.close()
        assert peer.label == ""
