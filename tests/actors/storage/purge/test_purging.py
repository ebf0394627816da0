"""What was forgotten stands in no file of the home any more, and all else is as it was, at every moment."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from persistent.mapping import PersistentMapping

from actors.storage.purge import purging, searching
from actors.storage.purge.forgotten import FORGOTTEN_TEXT
from actors.storage.purge.purging import Asked
from bus.process.lock import hold
from protocol import codec
from protocol.errors import BatosError
from protocol.messages import MandateReply
from tests.actors.storage.purge.worlds import (
    World,
    change,
    forget,
    history,
    make,
    moments,
    move,
    remember,
    said,
)
from world import history as versions
from world.method import UvmMethod
from world.store import commit, snapshot
from world.values import persistent

CANARY = "The zephyr-quokka of Ljubljana keeps 7713 marbles in a tin."
KEPT = "The fountain was built by Emil Rask in 1922."


@pytest.fixture
def world(short_path):
    return World(short_path / "home")


def both(world):
    """What every moment says, and the history."""
    with world.opened() as db:
        return {tid: said(db, tid) for tid in moments(db)}, history(db)


def test_a_document_goes_from_every_moment_and_all_else_stays(world):
    with world.opened() as db:
        make(db, "box", width=1)
        remember(db, "secret", CANARY, "It is painted red, as every zephyr is.", kind="document", title=CANARY)
        remember(db, "kept", KEPT)
        change(db, "box", width=2)
        remember(db, "secret", CANARY, "And now blue.")  # what stood under its id before is of it
        forget(db, "secret")
        remember(db, "kept", KEPT, "More of it.")
        change(db, "box", width=3)
    before, log = both(world)
    assert CANARY.encode() in world.bytes()
    found = purging.find(world.home)
    assert found.documents == ["secret"]
    receipt = purging.purge(world.home, Asked())
    assert (receipt.documents, receipt.left) == (["secret"], [])
    assert receipt.objects >= 6
    assert receipt.bytes_after < receipt.bytes_before
    assert CANARY.encode() not in world.bytes()
    assert b"as every zephyr is" not in world.bytes()
    after, log_after = both(world)
    assert log_after == log
    assert list(after) == list(before)
    for tid, (objects, documents) in ((tid, now) for tid, now in before.items() if now is not None):
        assert after[tid] == (objects, {**documents, **({"secret": []} if "secret" in documents else {})})
    assert world.problems() == []
    assert purging.find(world.home).documents == []
    assert purging.purge(world.home, Asked()).revisions == 0


def test_a_document_that_was_moved_goes_with_what_it_was_before(world):
    with world.opened() as db:
        remember(db, "first", CANARY)
        move(db, "first", "second", CANARY)
    assert purging.find(world.home).remembered == ["first", "second"]
    with world.opened() as db:
        forget(db, "second")
    assert purging.find(world.home).documents == ["second"]
    purging.purge(world.home, Asked())
    assert CANARY.encode() not in world.bytes()


def test_a_large_document_goes_piece_by_piece(world):
    texts = [f"{CANARY} number {number}" for number in range(1100)]
    with world.opened() as db:
        remember(db, "large", *texts)
        forget(db, "large")
    purging.purge(world.home, Asked())
    assert b"zephyr-quokka" not in world.bytes()
    assert world.problems() == []


def test_what_is_remembered_again_is_not_what_was_forgotten(world):
    with world.opened() as db:
        remember(db, "notes", CANARY)
        forget(db, "notes")
        remember(db, "notes", KEPT)
    receipt = purging.purge(world.home, Asked())
    assert CANARY.encode() not in world.bytes()
    assert receipt.documents == [], "the id has another document now"
    with world.opened() as db:
        assert said(db, moments(db)[-1])[1] == {"notes": [KEPT]}


def test_what_memory_knew_of_a_method_that_was_taken_back_is_not_forgotten(world):
    with world.opened() as db:
        remember(db, "method:00000000000000ab:area_", CANARY, kind="method", mandate="01M")
        forget(db, "method:00000000000000ab:area_")
    assert purging.find(world.home) == purging.Forgotten()
    assert purging.purge(world.home, Asked()).documents == []


def test_what_a_user_has_written_into_a_slot_is_named_and_stays(world):
    with world.opened() as db:
        remember(db, "secret", CANARY)
        make(db, "diary", pages=[f"Today: {CANARY}"])
        make(db, "draft", text=CANARY)
        change(db, "draft", text="")
        forget(db, "secret")
    receipt = purging.purge(world.home, Asked())
    assert [("diary" in left.where, "says the same" in left.why) for left in receipt.left if "diary" in left.where] == [
        (True, True)
    ]
    assert any("draft" in left.where and "earlier state" in left.why for left in receipt.left)
    with world.opened() as db:
        assert "zephyr" in str(said(db, moments(db)[-1])[0]["diary"])


def test_lines_of_the_outbox_contexts_and_turns_go_with_what_they_are_about(world):
    with world.opened() as db:
        remember(db, "secret", CANARY)
        remember(db, "answer:c1", f"Who?\n\n{CANARY}", kind="answer", question="Who?", mandate="M1")
        with commit(db, user="test", description="as a mandate does") as connection:
            root = connection.root()

            def keep(value):
                return persistent(value, lambda _: None)

            root["outbox"][1] = keep(
                {"doc_id": "answer:c1", "text": CANARY, "metadata": {"sources": ["secret"], "q": CANARY}}
            )
            root["outbox"][2] = keep({"doc_id": "other", "text": KEPT, "metadata": {}})
            turn = {"question": "Who?", "answer": CANARY, "cited": ["secret"]}
            root["talk"] = PersistentMapping(
                {"turns": keep([turn, {"question": "When?", "answer": KEPT, "cited": []}])}
            )
            root["context"] = keep({"mandate": "M1", "mission_brief": {"query": "Who?", "turns": [{"said": CANARY}]}})
            reply = MandateReply(mandate="M1", state="COMPLETE", result=CANARY)
            root["applied"]["M1"] = PersistentMapping({"reply": codec.pack(reply)})
        forget(db, "answer:c1")
        forget(db, "secret")
        with commit(db, user="test", description="done with it") as connection:
            root = connection.root()
            root["talk"]["turns"] = persistent([{"question": "When?", "answer": KEPT, "cited": []}], lambda _: None)
            del root["outbox"][1], root["context"]
    found = purging.find(world.home)
    assert (found.documents, found.mandates) == (["answer:c1", "secret"], ["M1"])
    receipt = purging.purge(world.home, Asked(mandates=["M1"]))
    assert receipt.left == []
    assert CANARY.encode() not in world.bytes()
    assert world.problems() == []
    with world.opened() as db, snapshot(db) as connection:
        root = connection.root()
        assert codec.unpack(root["applied"]["M1"]["reply"], MandateReply) == MandateReply(
            mandate="M1", state="COMPLETE"
        )
        assert root["outbox"][2]["text"] == KEPT
        assert root["talk"]["turns"][0]["answer"] == KEPT


def method(text):
    return UvmMethod("tell_", source=f"def tell_(self):\n    return {text!r}\n", author="c1", intent=text)


def test_a_method_that_was_forgotten_goes_with_its_versions_unless_somebody_still_has_it(world):
    with world.opened() as db:
        make(db, "box")
        make(db, "copy")
        shas = []
        for text in (CANARY, KEPT, f"{CANARY} Again."):
            with commit(db, user="test", description="put") as connection:
                objects = connection.root()["objects"]
                made = method(text)
                made.examples.append(PersistentMapping({"returns": text}))
                shas.append(made.sha256)
                versions.put(objects["box"], "tell_", made, author="c1", why=text)
        with commit(db, user="test", description="shared") as connection:
            objects = connection.root()["objects"]
            objects["copy"].set_slot("tell_", objects["box"]._slots["tell_"])
        with commit(db, user="test", description="forget") as connection:
            box = connection.root()["objects"]["box"]
            versions.forget(box, "tell_", [shas[0], shas[2]], author="user", why="forget what came of secret")
    before, _ = both(world)
    receipt = purging.purge(world.home, Asked())
    assert ["something refers to it" in left.why for left in receipt.left][:1] == [True]
    with world.opened() as db, snapshot(db) as connection:
        objects = connection.root()["objects"]
        assert objects["copy"]._slots["tell_"].source.startswith("def tell_"), "what somebody has is not broken"
        assert [one.method is None for one in versions.versions(objects["box"], "tell_")] == [True, False, True, True]
    with world.opened() as db:
        change(db, "copy", tell_=None)
    purging.purge(world.home, Asked())
    assert CANARY.encode() not in world.bytes()
    assert world.problems() == []
    after, _ = both(world)
    assert {tid: after[tid] and after[tid][1] for tid in before} == {tid: now and now[1] for tid, now in before.items()}
    with world.opened() as db:
        first = next(tid for tid, now in before.items() if now is not None and "tell_" in now[0].get("box", {}))
        with snapshot(db, first) as connection:
            assert connection.root()["objects"]["box"]._slots["tell_"].source == FORGOTTEN_TEXT


def test_old_copies_and_lines_of_logs_go_too(world):
    with world.opened() as db:
        remember(db, "secret", CANARY)
    (world.home.world / "world.fs.old").write_bytes(world.home.database.read_bytes())
    log = world.home.log / "memory.log.1"
    log.write_text(f'{{"event": "indexed", "doc_id": "secret"}}\n{{"event": "up"}}\n{json.dumps({"error": CANARY})}\n')
    world.home.rehearsal.mkdir()
    (world.home.rehearsal / "world.fs").write_text(CANARY)
    world.home.backup.mkdir()
    (world.home.backup / "full.fs").write_text(CANARY)
    own = world.home.root / "mine.txt"
    own.write_text(CANARY)
    with world.opened() as db:
        forget(db, "secret")
    receipt = purging.purge(world.home, Asked())
    assert log.read_text() == '{"event": "up"}\n'
    assert not (world.home.world / "world.fs.old").exists()
    told = {each["path"].rpartition("/")[2]: each["what"] for each in receipt.files}
    assert (told["memory.log.1"], told["world.fs.old"]) == ("2 lines", "an old copy")
    assert (told["backup"], told["rehearsal"]) == (
        "the home's own backup from before a newer form",
        "a rehearsal of a newer form that was killed",
    )
    assert [(left.where, "backup" in left.why) for left in receipt.left] == [(str(own), False)]
    own.unlink()
    assert CANARY.encode() not in world.bytes()


def test_of_very_many_places_that_stay_the_backups_are_named_and_the_rest_is_counted(world):
    with world.opened() as db:
        texts = [f"{CANARY} It is number {number}." for number in range(120)]
        numbered = [f"{number:04} {CANARY}" for number in range(120)]
        remember(db, "secret", *texts, *numbered)
        for number, text in enumerate(numbered):
            make(db, f"diary{number}", page=text)
        forget(db, "secret")
    world.home.backups.write_text('{"/mnt/elsewhere": "20261130T000000Z"}')
    left = purging.purge(world.home, Asked()).left
    assert left[0].where == "/mnt/elsewhere"
    assert (len(left), left[-1].where.split()[1:]) == (101, ["more", "places"])


def test_while_the_system_is_up_nothing_is_purged(world):
    with hold(world.home.run / "storage.lock", "the world"), pytest.raises(BatosError) as caught:
        purging.purge(world.home, Asked())
    assert (caught.value.code, "batos down" in caught.value.hint) == ("HOME_HELD", True)


def test_a_damaged_world_is_left_as_it_is(world):
    with world.opened() as db:
        remember(db, "secret", CANARY)
        forget(db, "secret")
    data = bytearray(world.home.database.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 64] = b"\xff" * 64
    world.home.database.write_bytes(data)
    with pytest.raises(BatosError) as caught:
        purging.purge(world.home, Asked())
    assert caught.value.code == "DAMAGED"
    assert world.home.database.read_bytes() == bytes(data)
    assert not list(world.home.world.glob("*.purge"))


def test_as_a_command_it_prints_what_it_did(world):
    with world.opened() as db:
        remember(db, "secret", CANARY)
        forget(db, "secret")
    words = [sys.executable, "-m", "actors.storage", "--home", str(world.home.root)]
    found = subprocess.run([*words, "--forgotten"], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == {"documents": ["secret"], "mandates": [], "remembered": []}
    asked = json.dumps({"mandates": [], "before": 1e9})
    done = subprocess.run([*words, "--purge"], input=asked, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["documents"] == ["secret"]
    assert CANARY.encode() not in world.bytes()
    world.home.config.write_text('[storage]\nuri = "zeo://elsewhere:1"\n')
    refused = subprocess.run([*words, "--purge"], input=asked, capture_output=True, text=True, check=False)
    assert (json.loads(refused.stdout)["error"]["code"], refused.returncode) == ("BAD_CONFIG", 2)


def test_of_very_many_passages_some_are_looked_for():
    assert len(searching.pieces_of(f"{CANARY} {number}" for number in range(5000))) <= searching.PIECES
    assert searching.pieces_of(["short", "", "\n"]) == []
