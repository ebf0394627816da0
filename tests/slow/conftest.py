"""What the tests share that kill and fill: a world that was told something, and whether it is still whole."""

from __future__ import annotations

import contextlib
import os
import signal

import pytest

from cli.calls.facts import FACTS

EXAMPLE = '{"slots":{"width":3,"height":4},"args":[],"returns":12}'
HONEST = {"CYCLE_FAILED", "GENERATION_FAILED", "NOT_SYNTHESIZED", "TIMEOUT"}
"""What a mandate may fail of, whoever was killed: the model's own weakness, and the clock."""


class World:
    """A running world, and what can be said of a mandate in it from outside."""

    def __init__(self, whole):
        self.whole = whole
        file = whole.home.parent / "house.txt"
        file.write_text(FACTS)
        whole.ok("remember", str(file), "--id", "house")

    def kill(self, actor):
        """kill -9, as soon as that process is known."""
        pid = self.whole.pid(actor)

        def now():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

        return now

    def answers(self, mandate, question):
        """Each passage of this mandate's answer that search finds for its question."""
        hits = self.whole.ok("search", question, "--top-k", "50")["hits"]
        mine = [hit for hit in hits if hit["metadata"].get("kind") == "answer"]
        return [hit for hit in mine if hit["metadata"]["mandate"] == mandate]

    def check_ended_once(self, ended, question):
        """The mandate has one end and one cycle of its own; a complete one's answer is remembered once."""
        failure = ended.get("error")
        mandate = failure["mandate"] if failure else ended["mandate"]
        if failure:
            assert failure["code"] in HONEST, failure
        cycles = [cycle for cycle in self.whole.ok("cycle", "ls")["cycles"] if cycle["mandate"] == mandate]
        asked = [cycle["state"] for cycle in cycles if cycle["selector"] == "ask_"]
        assert asked == ["FAILED" if failure else "COMPLETE"]
        assert {cycle["state"] for cycle in cycles} <= {"COMPLETE", "FAILED"}
        code, watched = self.whole.run("cycle", "watch", mandate)
        assert (code, watched["state"]) == ((1, "FAILED") if failure else (0, "COMPLETE"))
        found = self.answers(mandate, question)
        if failure:
            assert found == []
            return
        assert {hit["doc_id"] for hit in found} == {f"answer:{ended['cycle']}"}
        assert len({hit["chunk_index"] for hit in found}) == len(found)
        assert all(hit["text"].strip() in f"{question}\n\n{ended['answer']}" for hit in found)

    def check_whole(self):
        """All actors are ready, nothing is left of a thought, and every persona can be looked at."""
        self.whole.ok("up")
        status = self.whole.ok("status")
        assert status["ready"] is True
        assert status["cycles"]["active"] == 0
        for name in self.whole.ok("codex")["personas"]:
            methods = self.whole.ok("look", name)["methods"]
            assert all(method["verdict"] == "accept" for method in methods.values())


@pytest.fixture(scope="module")
def world(whole):
    return World(whole)


@pytest.fixture(scope="session")
def tell_world():
    """`World`, for a test that starts a system of its own."""
    return World
