from __future__ import annotations

import asyncio
import json
import threading

import pytest

from cli.main import main
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.failure import Failure
from protocol.messages import (
    Created,
    CyclesReply,
    CycleStory,
    CycleSummary,
    Event,
    Looked,
    MandateReply,
    MethodMade,
    MethodView,
    SourceText,
    Step,
)

OID, TID = "000000000000002a", "03f1000000000001"
METHOD = MethodView(sha256="ab" * 32, author="C1", source="def area_(self):\n    return 30\n", verdict="accept")
REPLY = MandateReply(
    mandate="M1",
    cycle="C1",
    state="COMPLETE",
    result=[30, Ref(OID)],
    synthesized=True,
    method=MethodMade(selector="area_", sha256="ab" * 32, attempts=2),
    tid=TID,
)


def answering(reply):
    async def handler(_request, _call):
        if isinstance(reply, BatosError):
            raise reply
        return reply

    return handler


def asked(system, verb):
    (envelope,) = [envelope for envelope in system.envelopes if envelope.verb == verb]
    return envelope


def test_new(system, batos):
    system.handlers["new"] = answering(Created(name="box", oid=OID, tid=TID))
    system.start()
    code, lines = batos("new", "box", "width=5", 'title="a b"', f'friend={{"$ref":"{OID}"}}', "--parent", "shape")
    assert (code, lines) == (0, [{"name": "box", "oid": OID, "tid": TID}])
    body = asked(system, "new").body
    assert body == {"name": "box", "parent": "shape", "slots": {"width": 5, "title": "a b", "friend": Ref(OID)}}


@pytest.mark.parametrize("lost", ["orchestrator", "broker"])
def test_an_object_whose_answer_is_lost_is_asked_for_again_under_the_same_key(system, batos, lost):
    never = asyncio.Event()

    async def new(_request, _call):
        if len(system.envelopes) == 1:
            threading.Thread(target=restart, args=(system, lost), daemon=True).start()
            await never.wait()
        return Created(name="box", oid=OID, tid=TID)

    system.handlers["new"] = new
    system.start()
    assert batos("new", "box") == (0, [{"name": "box", "oid": OID, "tid": TID}])
    first, second = system.envelopes
    assert (first.idem, first.body) == (second.idem, second.body)
    assert batos("new", "box", "--key", "mine")[0] == 0
    assert system.envelopes[-1].idem == "mine" != first.idem


def test_a_name_that_is_taken_is_said_as_it_is_after_a_loss_too(system, batos):
    never = asyncio.Event()

    async def new(_request, _call):
        if len(system.envelopes) == 1:
            threading.Thread(target=restart, args=(system, "broker"), daemon=True).start()
            await never.wait()
        raise BatosError("NAME_TAKEN", "there is already an object called box", "Choose another name.")

    system.handlers["new"] = new
    system.start()
    code, lines = batos("new", "box")
    assert (code, lines[-1]["error"]["hint"]) == (6, "Choose another name.")


def restart(system, lost):
    if lost == "broker":
        system.stop_broker()
        system.start_broker()
    else:
        system.stop_orchestrator()
        system.start_orchestrator()


def test_send_streams_events_and_ends_with_the_result(system, batos):
    async def mandate(_request, call):
        call.partial(Event(event="accepted", mandate="M1"))
        call.partial(Event(event="state", mandate="M1", cycle="C1", state="SYNTHESIZING"))
        return REPLY

    system.handlers["mandate"] = mandate
    system.start()
    code, lines = batos("send", "box", "area_(by)", "-4", "--key", "K7")
    assert code == 0
    assert [line.get("event") for line in lines] == ["accepted", "state", None]
    assert lines[1]["state"] == "SYNTHESIZING"
    assert lines[-1] == {
        "mandate": "M1",
        "cycle": "C1",
        "state": "COMPLETE",
        "result": [30, {"$ref": OID}],
        "synthesized": True,
        "method": {"selector": "area_", "sha256": "ab" * 32, "attempts": 2, "source": "", "origin": ""},
        "proposal": None,
        "doubts": [],
        "tid": TID,
        "remembered": False,
    }
    envelope = asked(system, "mandate")
    assert envelope.idem == "K7"
    assert (envelope.body["parameters"], envelope.body["args"]) == (["by"], [-4])


def test_each_invocation_has_its_own_key(system, batos):
    system.handlers["mandate"] = answering(REPLY)
    system.start()
    batos("send", "box", "area_")
    batos("send", "box", "area_")
    first, second = (envelope.idem for envelope in system.envelopes)
    assert len(first) == len(second) == 26
    assert first != second


def test_a_detached_send_prints_the_mandate(system, batos):
    system.handlers["mandate"] = answering(MandateReply(mandate="M1", state="accepted"))
    system.start()
    code, lines = batos("send", "box", "area_", "--detach")
    assert (code, lines[-1]["mandate"], lines[-1]["state"]) == (0, "M1", "accepted")
    assert asked(system, "mandate").body["detach"] is True


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("NOT_SYNTHESIZED", 1),
        ("METHOD_FAILED", 1),
        ("UNKNOWN_OBJECT", 2),
        ("COVENANT_BREACH", 4),
        ("TIMEOUT", 5),
        ("CONFLICT", 6),
        ("STORAGE", 7),
    ],
)
def test_the_exit_code_is_the_failures(system, batos, code, exit_code):
    facts = {
        "mandate": "M1",
        "cycle": "C1",
        "line": 3,
        "goes_on": False,
    }  # a mandate that is late says that it has ended
    system.handlers["mandate"] = answering(BatosError(code, "so it is", "do that", **facts))
    system.start()
    got, lines = batos("send", "box", "area_")
    error = lines[-1]["error"]
    assert (got, error["code"], error["message"], error["hint"]) == (exit_code, code, "so it is", "do that")
    assert (error["mandate"], error["cycle"], error["data"]["line"]) == ("M1", "C1", 3)


def test_a_timeout_names_the_mandate_that_goes_on(system, batos):
    async def mandate(_request, call):
        call.partial(Event(event="accepted", mandate="M1"))
        await asyncio.sleep(60)

    system.handlers["mandate"] = mandate
    system.start()
    code, lines = batos("send", "box", "area_", "--timeout", "0.4")
    error = lines[-1]["error"]
    assert (code, error["code"], error["mandate"], error["goes_on"]) == (5, "TIMEOUT", "M1", True)


def test_a_mandate_that_ended_at_its_deadline_does_not_go_on(system, batos):
    async def mandate(request, call):
        call.partial(Event(event="accepted", mandate="M1"))
        await asyncio.sleep(request.seconds)
        raise BatosError("TIMEOUT", "its time was over", mandate="M1", goes_on=False)

    system.handlers["mandate"] = mandate
    system.start()
    code, lines = batos("send", "box", "area_", "--timeout", "0.4")
    assert (code, lines[-1]["error"]["goes_on"]) == (5, False)


def test_nobody_knows_whether_goes_on_what_nobody_has_accepted(system, batos):
    async def mandate(_request, _call):
        await asyncio.sleep(60)

    system.handlers["mandate"] = mandate
    system.start()
    code, lines = batos("send", "box", "area_", "--timeout", "0.4")
    assert (code, lines[-1]["error"]["goes_on"]) == (5, None)


@pytest.mark.parametrize(
    ("words", "seconds"), [((), None), (("--timeout", "300"), 300.0), (("--timeout", "1e9"), 86400.0)]
)
def test_the_time_that_is_given_is_the_mandates_own(system, batos, words, seconds):
    asked = []

    async def mandate(request, _call):
        asked.append(request.seconds)
        return REPLY

    system.handlers["mandate"] = mandate
    system.start()
    code, _ = batos("send", "box", "area_", *words)
    assert (code, asked) == (0, [seconds])


@pytest.mark.parametrize("lost", ["orchestrator", "broker"])
def test_a_lost_system_is_asked_again_under_the_same_key(system, batos, lost):
    seen = asyncio.Event()

    async def mandate(_request, call):
        call.partial(Event(event="accepted", mandate="M1"))
        if len(system.envelopes) == 1:
            threading.Thread(target=restart, args=(system, lost), daemon=True).start()
            await seen.wait()
        return REPLY

    system.handlers["mandate"] = mandate
    system.start()
    code, lines = batos("send", "box", "area_", "--timeout", "20")
    assert (code, lines[-1]["result"]) == (0, [30, {"$ref": OID}])
    first, second = system.envelopes
    assert first.idem == second.idem
    assert first.id != second.id


def test_look(system, batos):
    system.handlers["look"] = answering(
        Looked(name="box", oid=OID, tid=TID, slots={"width": 5}, parents=[Ref("0" * 16)], methods={"area_": METHOD})
    )
    system.start()
    code, lines = batos("look", "box", "--at", TID)
    assert (code, lines[0]["parents"], lines[0]["slots"]) == (0, [{"$ref": "0" * 16}], {"width": 5})
    assert lines[0]["methods"]["area_"] == {
        "sha256": "ab" * 32,
        "author": "C1",
        "source": METHOD.source,
        "verdict": "accept",
        "intent": "",
        "origin": "",
    }
    assert asked(system, "look").body == {"target": "box", "at": TID, "after": None, "limit": 100}
    assert lines[0]["next"] is None


def test_look_without_a_name_looks_at_the_root(system, batos):
    system.handlers["look"] = answering(Looked(name="root", oid=OID, tid=TID, slots={}, parents=[], methods={}))
    system.start()
    batos("look")
    assert asked(system, "look").body["target"] == "0" * 16, "whatever an object is called"


def test_a_page_says_how_it_goes_on(system, batos, home, capsys):
    system.handlers["look"] = answering(
        Looked(name="box", oid=OID, tid=TID, slots={"width": 5}, parents=[], methods={}, next="width")
    )
    system.start()
    code, lines = batos("look", "box", "--after", "height", "--limit", "1")
    assert (code, lines[0]["next"]) == (0, "width")
    assert (asked(system, "look").body["after"], asked(system, "look").body["limit"]) == ("height", 1)
    assert main(["look", "box", "--home", str(home.root)]) == 0
    assert "--after width" in capsys.readouterr().out
    assert batos("look", "--limit", "0")[0] == 2


def test_source_is_the_text_itself_for_a_person(system, batos, home, capsys):
    system.handlers["source"] = answering(SourceText(selector="area_", holder="box", method=METHOD))
    system.start()
    assert main(["source", "box", "area_", "--home", str(home.root)]) == 0
    assert capsys.readouterr().out == METHOD.source
    code, lines = batos("source", "box", "area_")
    assert (code, lines[0]["selector"], lines[0]["holder"], lines[0]["method"]["author"]) == (0, "area_", "box", "C1")


def test_cycles(system, batos, home, capsys):
    summary = CycleSummary(
        cycle="C1", mandate="M1", target="box", selector="area_", state="FAILED", started=0.0, seconds=1.5
    )
    story = CycleStory(
        cycle="C1",
        mandate="M1",
        state="FAILED",
        steps=[Step(path="0", send="infer_", seconds=1.0, tokens=12)],
        verdicts=[{"verdict": "reject", "rule": "COV001"}],
        error=Failure("NOT_SYNTHESIZED", "none passed", "", {"rounds": 3}),
    )

    async def cycles(request, _call):
        if request.id is None:
            return CyclesReply(cycles=[summary])
        return CyclesReply(story=story if request.id == "C1" else None)

    system.handlers["cycles"] = cycles
    system.start()
    code, lines = batos("cycle", "ls")
    assert (code, lines[0]["cycles"][0]["cycle"]) == (0, "C1")
    code, lines = batos("cycle", "show", "C1")
    assert code == 0
    assert lines[0]["steps"] == [{"path": "0", "send": "infer_", "seconds": 1.0, "tokens": 12, "state": "", "size": 0}]
    assert lines[0]["error"]["code"] == "NOT_SYNTHESIZED"
    code, lines = batos("cycle", "show", "C2")
    assert (code, lines[0]["error"]["code"]) == (2, "UNKNOWN_CYCLE")
    for words in (["cycle", "ls"], ["cycle", "show", "C1"]):
        assert main([*words, "--home", str(home.root)]) == 0
        assert "FAILED" in capsys.readouterr().out


def test_a_person_sees_the_result_on_stdout_and_the_way_on_stderr(system, home, capsys):
    async def mandate(_request, call):
        call.partial(Event(event="state", mandate="M1", state="SYNTHESIZING", detail={"text": "\x1b[2J\u202e"}))
        return REPLY

    system.handlers["mandate"] = mandate
    system.start()
    assert main(["--home", str(home.root), "send", "box", "area_"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out) == [30, {"$ref": OID}]
    assert "SYNTHESIZING" in told.err
    assert "area_ was written (2 attempts" in told.err
    assert "\x1b" not in told.err
    assert "\u202e" not in told.err
