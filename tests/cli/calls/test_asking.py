"""`ask` and `cycle watch` over a real broker, with an orchestrator of ours that answers as the mind does."""

from __future__ import annotations

import asyncio
import json
import sys
import threading

import pytest

from cli.main import main
from protocol.errors import BatosError
from protocol.failure import Failure
from protocol.messages import Event, MandateReply, Watched

TID = "03f1000000000001"
FACETS = [
    {"persona": "BABS", "facet": "iceman_facet_", "query": "How sure?", "answer": "Quite.", "expert": "babs-1"},
    {"persona": "BRICK", "facet": "guide_facet_", "query": "What is it?", "answer": "A pump.", "expert": None},
]
SOURCE = {
    "chunk_oid": "000000000000002a",
    "doc_id": "fountain",
    "chunk_index": 0,
    "score": 1.5,
    "text": "The pump broke in May.",
    "metadata": {"kind": "document"},
}
RESULT = {
    "answer": "The pump is broken.",
    "way": "deep",
    "lane": "woven",
    "facets": FACETS,
    "dropped": [{"lane": "plain", "why": "it is empty"}],
    "sources": [SOURCE],
    "unknown": ["1871"],
}
REPLY = MandateReply(mandate="M1", cycle="C1", state="COMPLETE", result=RESULT, tid=TID, remembered=True)


def state(name, cycle="C1"):
    return Event(event="state", mandate="M1", cycle=cycle, state=name)


def piece(text, at=0, where="SYNTHESIZING"):
    detail = {"voice": "", "row": 0, "at": at, "text": text}
    return Event(event="piece", mandate="M1", cycle="C1", state=where, detail=detail)


THOUGHT = [
    Event(event="accepted", mandate="M1"),
    *(state(name) for name in ("IDLE", "DECOMPOSING", "DELEGATING", "SYNTHESIZING")),
    piece("The pump"),
    piece(" is broken.", 8),
    state("COMPLETE"),
]


@pytest.fixture
def mind(system):
    """Start a mind that tells these events and then answers, or fails, so; what it was asked."""

    def start(reply=REPLY, events=THOUGHT):
        async def answer(_request, call):
            for event in events:
                call.partial(event)
            if isinstance(reply, BatosError):
                raise reply
            return reply

        system.handlers["mandate"] = system.handlers["watch"] = answer
        system.start()
        return system.envelopes

    return start


class Terminal:
    """Standard output as a person's terminal, in front of whatever pytest has put there."""

    def __init__(self, behind):
        self._behind = behind

    def isatty(self):
        return True

    def __getattr__(self, name):
        return getattr(self._behind, name)


@pytest.fixture
def terminal(home, capsys, monkeypatch):
    """Run one command line as a person at a terminal does: exit code, what stood on stdout, and on stderr."""

    def run(*words):
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", Terminal(sys.stdout))
            code = main(["--home", str(home.root), *words])
        return code, *capsys.readouterr()

    return run


def error_of(lines):
    return lines[-1]["error"]


def test_an_answer_has_its_shape_and_comes_last(mind, batos):
    envelopes = mind()
    code, lines = batos("ask", "Why is the fountain silent?", "--key", "K7")
    seconds = lines[-1].pop("seconds")
    assert (code, lines[-1]) == (
        0,
        {
            "mandate": "M1",
            "cycle": "C1",
            "state": "COMPLETE",
            "answer": "The pump is broken.",
            "way": "deep",
            "lane": "woven",
            "refused": False,
            "nearest": None,
            "facets": FACETS,
            "dropped": [{"lane": "plain", "why": "it is empty"}],
            "sources": [SOURCE],
            "citations": [],
            "unknown": ["1871"],
            "thread": None,
            "tid": TID,
            "bypassed": False,
            "remembered": True,
            "proposal": None,
        },
    )
    assert seconds >= 0
    assert [line["event"] for line in lines[:-1]] == [event.event for event in THOUGHT]
    assert lines[6]["detail"] == {"voice": "", "row": 0, "at": 8, "text": " is broken."}
    (envelope,) = envelopes
    assert envelope.idem == "K7"
    asked = envelope.body
    assert (asked["target"], asked["selector"]) == ("orchestrator_obj", "ask_")
    assert asked["args"] == ["Why is the fountain silent?"]


def test_a_simple_question_has_no_cycle(mind, batos, home, capsys):
    result = {"answer": "Hello.", "facets": [], "sources": [], "bypassed": True}
    mind(MandateReply(mandate="M1", state="COMPLETE", result=result), [])
    code, lines = batos("ask", "Hello")
    answer = lines[-1]
    assert (code, answer["cycle"], answer["bypassed"], answer["remembered"]) == (0, None, True, False)
    assert (answer["facets"], answer["sources"], answer["tid"]) == ([], [], None)
    assert main(["--home", str(home.root), "ask", "Hello"]) == 0
    told = capsys.readouterr()
    assert told.out == "Hello.\n"
    assert "without a cycle" in told.err


def test_a_detached_question_names_its_mandate(mind, batos, home, capsys):
    envelopes = mind(MandateReply(mandate="M1", state="accepted"), [])
    code, lines = batos("ask", "Why is the fountain silent?", "--detach")
    answer = lines[-1]
    assert (code, answer["mandate"], answer["state"], answer["answer"]) == (0, "M1", "accepted", None)
    assert envelopes[0].body["detach"] is True
    assert main(["--home", str(home.root), "ask", "Why is it so?", "--detach"]) == 0
    assert capsys.readouterr().out == "M1\n"


def test_a_question_that_takes_too_long_goes_on_under_its_mandate(system, batos):
    async def mandate(_request, call):
        call.partial(Event(event="accepted", mandate="M1"))
        await asyncio.sleep(60)

    system.handlers["mandate"] = mandate
    system.start()
    code, lines = batos("ask", "Why is the fountain silent?", "--timeout", "0.4")
    assert (code, error_of(lines)["code"], error_of(lines)["mandate"]) == (5, "TIMEOUT", "M1")
    assert "cycle show M1" in error_of(lines)["hint"]


def test_a_failed_cycle_is_the_failure(mind, batos):
    mind(BatosError("CYCLE_FAILED", "the answer did not pass the quality gate", mandate="M1", cycle="C1"))
    code, lines = batos("ask", "Why is the fountain silent?")
    error = error_of(lines)
    assert (code, error["code"], error["mandate"], error["cycle"]) == (1, "CYCLE_FAILED", "M1", "C1")
    assert lines[-2]["state"] == "COMPLETE"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([""], "USAGE"),
        ([" \n\t"], "USAGE"),
        (["\udcff"], "USAGE"),
        (["x" * 4001], "TOO_LARGE"),
        (["Why?", "--timeout", "0"], "USAGE"),
        (["Why?", "--timeout", "nan"], "USAGE"),
        (["Why?", "--key", ""], "USAGE"),
        (["Why?", "Where?"], "USAGE"),
        ([], "USAGE"),
    ],
)
def test_what_is_no_question_is_refused_before_anything_is_sent(mind, batos, words, code):
    envelopes = mind()
    got, lines = batos("ask", *words)
    assert (got, error_of(lines)["code"]) == (2, code)
    assert error_of(lines)["hint"]
    assert envelopes == []


def test_nothing_runs(batos):
    for words in (["ask", "Why is it silent?"], ["cycle", "watch", "M1"], ["codex"]):
        code, lines = batos(*words)
        assert (code, error_of(lines)["code"]) == (3, "NOT_RUNNING")


@pytest.mark.parametrize("result", [None, 5, {}, {"answer": 5}, {"answer": "It is.", "facets": [{"persona": "BABS"}]}])
def test_what_is_no_answer_is_told_apart(mind, batos, result):
    """`ask_` is a method of the world like any other, and may have been replaced."""
    mind(MandateReply(mandate="M1", cycle="C1", state="COMPLETE", result=result), [])
    code, lines = batos("ask", "Why is the fountain silent?")
    error = error_of(lines)
    assert (code, error["code"], error["mandate"]) == (1, "METHOD_FAILED", "M1")
    assert "source orchestrator_obj ask_" in error["hint"]


def test_a_person_sees_the_answer_alone_on_stdout(mind, home, capsys):
    mind()
    assert main(["--home", str(home.root), "ask", "Why is the fountain silent?"]) == 0
    told = capsys.readouterr()
    assert told.out == "The pump is broken.\n"
    lines = told.err.splitlines()
    assert lines[:6] == [
        "  accepted",
        "  takes up the mission",
        "  recalls, and divides the mission",
        "  asks the facets",
        "  makes one of it",
        "  is done",
    ]
    assert lines[6].startswith("cycle C1, ")
    assert lines[6].endswith("the deep way, woven of all lanes")
    assert "  dropped: plain: it is empty" in lines
    assert "  in no passage: 1871" in lines
    assert lines[-1] == "  source: fountain #0"
    assert "babs-1" in told.err
    assert "base model" in told.err


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [  # as it comes; begun again; ended otherwise than it grew
        ([piece("The pump"), piece(" is broken.", 8)], "The pump is broken.\n"),
        ([piece("The lamp"), piece("The pump"), piece(" is broken.", 8)], "The lamp\nThe pump is broken.\n"),
        ([piece("The pump is"), state("COMPLETE")], "The pump is\nThe pump is broken.\n"),
    ],
)
def test_a_person_watches_the_answer_grow(mind, terminal, pieces, shown):
    mind(events=[state("SYNTHESIZING"), *pieces, state("COMPLETE")])
    code, out, err = terminal("ask", "Why is the fountain silent?")
    assert (code, out) == (0, shown)
    assert "  is done\ncycle C1" in err


def test_a_failure_begins_on_a_line_of_its_own(mind, terminal):
    mind(BatosError("CYCLE_FAILED", "so it is"), [state("SYNTHESIZING"), piece("The pump")])
    code, out, _ = terminal("ask", "Why is the fountain silent?")
    assert (code, out) == (1, "The pump\n")


def test_watch_follows_to_the_end(mind, batos, home, capsys):
    envelopes = mind(Watched(mandate="M1", cycle="C1", state="COMPLETE", result={"answer": "It broke in May."}))
    code, lines = batos("cycle", "watch", "C1")
    ended = {
        "mandate": "M1",
        "cycle": "C1",
        "state": "COMPLETE",
        "error": None,
        "result": {"answer": "It broke in May."},
    }
    assert (code, {name: lines[-1][name] for name in ended}) == (0, ended)
    assert [line["event"] for line in lines[:-1]] == [event.event for event in THOUGHT]
    assert envelopes[0].body == {"id": "C1"}
    assert main(["--home", str(home.root), "cycle", "watch", "M1"]) == 0
    told = capsys.readouterr()
    assert told.out == "It broke in May.\n"
    assert "SYNTHESIZING" in told.err


def test_watching_a_failure_is_exit_code_1(mind, batos, home, capsys):
    failure = Failure("CYCLE_FAILED", "it was not good enough")
    mind(Watched(mandate="M1", cycle="C1", state="FAILED", error=failure), [])
    code, lines = batos("cycle", "watch", "C1")
    assert (code, lines[-1]["state"], lines[-1]["error"]["code"]) == (1, "FAILED", "CYCLE_FAILED")
    main(["--home", str(home.root), "cycle", "watch", "C1"])
    assert capsys.readouterr().out == "mandate M1: FAILED (it was not good enough)\n"


def test_an_unknown_cycle_cannot_be_watched(mind, batos):
    mind(BatosError("UNKNOWN_CYCLE", "no cycle and no mandate is called 'C9'", "See `batos cycle ls`."), [])
    code, lines = batos("cycle", "watch", "C9")
    assert (code, error_of(lines)["code"]) == (2, "UNKNOWN_CYCLE")


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf"])
def test_no_time_to_watch_is_a_usage_error(mind, batos, seconds):
    mind()
    code, lines = batos("cycle", "watch", "C1", "--timeout", seconds)
    assert (code, error_of(lines)["code"]) == (2, "USAGE")


def test_watching_ends_with_our_patience(system, batos):
    async def watch(_request, _call):
        await asyncio.sleep(60)

    system.handlers["watch"] = watch
    system.start()
    code, lines = batos("cycle", "watch", "C1", "--timeout", "0.4")
    assert (code, error_of(lines)["code"]) == (5, "TIMEOUT")
    assert "cycle watch C1" in error_of(lines)["hint"]


def test_watching_survives_a_restart_of_the_orchestrator(system, batos):
    async def watch(_request, call):
        call.partial(state("IDLE"))
        if len(system.envelopes) == 1:
            threading.Thread(target=restart, daemon=True).start()
            await asyncio.sleep(60)
        return Watched(mandate="M1", cycle="C1", state="COMPLETE")

    def restart():
        system.stop_orchestrator()
        system.start_orchestrator()

    system.handlers["watch"] = watch
    system.start()
    code, lines = batos("cycle", "watch", "C1", "--timeout", "20")
    assert (code, lines[-1]["state"]) == (0, "COMPLETE")
    assert len(system.envelopes) == 2
    assert json.dumps(lines[0]) == json.dumps(lines[1])
