"""kill -9, each process in turn, in the middle of a question: the mandate ends once, and the world is whole."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress

import pytest

from ops.supervisor import Supervisor
from protocol.home import Home

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.model]

QUESTION = "What does the document say about the guardian?"


def in_state(name):
    return lambda event: event["event"] == "state" and event["state"] == name


def speaking(name):
    """A text of that state has begun to grow, so a batch is under way."""
    return lambda event: event["event"] == "piece" and event["state"] == name


def test_an_answer_waits_for_a_memory_that_is_away(world):
    """Memory dies whenever it is about to be ready, until the answer is there; then it learns it, once."""
    supervisor = Supervisor(Home(world.whole.home))
    over, thinking = threading.Event(), threading.Event()

    def keep_away():
        thinking.wait()
        since = {}
        while not over.is_set():
            pid = supervisor.processes()["memory"].pid
            born = since.setdefault(pid, time.monotonic() if since else 0.0)
            # Older than supervisord's `startsecs`: it has not failed to start, so it is started again at once.
            if pid and time.monotonic() - born > 1.5:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            over.wait(0.1)

    def see(event):
        if in_state("SYNTHESIZING")(event):
            thinking.set()

    killer = threading.Thread(target=keep_away)
    killer.start()
    try:
        code, answer = world.whole.follow(see, "ask", QUESTION)
    finally:
        over.set()
        thinking.set()
        killer.join()
    world.check_whole()
    assert "error" not in answer, answer["error"]
    assert (code, answer["state"], answer["remembered"]) == (0, "COMPLETE", False)
    world.check_ended_once(answer, QUESTION)


@pytest.mark.parametrize(
    ("actor", "moment", "subject"),
    [
        ("orchestrator", in_state("DELEGATING"), "guardian"),
        ("orchestrator", speaking("SYNTHESIZING"), "journal"),
        ("inference", speaking("DELEGATING"), "jail"),
        ("inference", speaking("SYNTHESIZING"), "candidates"),
        ("guardian", in_state("DELEGATING"), "transaction"),
        ("memory", in_state("SYNTHESIZING"), "verdict"),
        ("storage", in_state("SYNTHESIZING"), "methods"),
        ("broker", in_state("SYNTHESIZING"), "objects"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whoever_is_killed_the_question_ends_once(world, actor, moment, subject):
    question = f"What does the document say about the {subject}?"
    kill, pid, killed = world.kill(actor), world.whole.pid(actor), []

    def see(event):
        if not killed and moment(event):
            kill()
            killed.append(event)

    _, ended = world.whole.follow(see, "ask", question)
    assert killed
    world.check_whole()
    assert world.whole.pid(actor) != pid
    world.check_ended_once(ended, question)
    _, again = world.whole.run("ask", question)
    world.check_ended_once(again, question)


def test_a_document_outlives_the_memory_that_was_reading_it(world):
    file = world.whole.home.parent / "long.txt"
    file.write_text(" ".join(f"The lantern of room {number} burns with a flame of its own." for number in range(2000)))
    kill, told = world.kill("memory"), []
    with world.whole.start("remember", str(file), "--id", "long") as process:
        for line in process.stderr:  # a line for each tenth
            if not told:
                kill()
            told.append(line)
        (result,) = world.whole.lines(process.stdout.read())
    world.check_whole()
    assert len(told) > 2
    assert (process.returncode, result["documents"][0]["doc_id"]) == (0, "long")
    chunks = result["documents"][0]["chunks"]
    assert world.whole.ok("forget", "long")["chunks"] == chunks
    hits = world.whole.ok("search", "lantern flame", "--top-k", "100")["hits"]
    assert [hit for hit in hits if hit["doc_id"] == "long"] == []


@pytest.mark.parametrize("way", ["file", "pipe"])
def test_fifty_megabytes_are_no_document(world, way, tmp_path):
    file = tmp_path / "huge.txt"
    file.write_bytes(b"A sentence like any other. " * (50_000_000 // 27))
    before = world.whole.ok("status")["world"]["tid"]
    words = [str(file)] if way == "file" else ["/dev/stdin", "--id", "huge"]
    with file.open("rb") as stdin, world.whole.start("remember", *words, stdin=stdin) as process:
        out, _ = process.communicate(timeout=60)
    (line,) = world.whole.lines(out)
    assert (process.returncode, line["error"]["code"]) == (2, "TOO_LARGE")
    assert world.whole.ok("status")["world"]["tid"] == before
