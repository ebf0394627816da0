"""How a question is to be answered, its thread, and where its sentences are shown to stand."""

from __future__ import annotations

import msgspec
import pytest

from cli.main import main
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Created, Looked, MandateReply
from tests.cli.calls.test_asking import RESULT, TID, error_of, mind, terminal

THREAD = "000000000000002b"
__all__ = ["mind", "terminal"]


def answering(reply):
    async def answer(_request, _call):
        return reply

    return answer


@pytest.mark.parametrize(
    ("words", "kwargs"),
    [([], {}), (["--plain"], {"way": "plain"}), (["--deep", "--answers"], {"way": "deep", "answers": True})],
)
def test_how_a_question_is_to_be_answered_goes_with_it(mind, batos, words, kwargs):
    envelopes = mind()
    batos("ask", "Why is the fountain silent?", *words)
    assert envelopes[0].body.get("kwargs", {}) == kwargs


def test_a_thread_is_made_once_and_goes_along_as_the_object_that_it_is(mind, batos, system):
    names = []

    async def new(request, _call):
        if names:
            raise BatosError("NAME_TAKEN", "there is already an object called talk")
        names.append((request.name, request.parent, request.slots))
        return Created(name="talk", oid=THREAD, tid=TID)

    looked = Looked(name="talk", oid=THREAD, tid=TID, slots={}, parents=[Ref("b" * 16)], methods={})
    system.handlers["new"] = new
    system.handlers["look"] = answering(msgspec.structs.replace(looked, names={"b" * 16: "thread_traits"}))
    envelopes = mind()
    for _ in range(2):
        code, lines = batos("ask", "Why is it silent?", "--thread", "talk")
        assert (code, lines[-1]["thread"]) == (0, "talk")
    assert names == [("talk", "thread_traits", {"turns": []})]
    asked = [envelope.body["kwargs"] for envelope in envelopes if envelope.verb == "mandate"]
    assert asked == [{"thread": Ref(THREAD)}] * 2


def test_an_object_that_keeps_no_conversation_is_no_thread(mind, batos, system):
    async def new(_request, _call):
        raise BatosError("NAME_TAKEN", "there is already an object called box")

    system.handlers["new"] = new
    plain = Looked(name="box", oid=THREAD, tid=TID, slots={}, parents=[Ref("b" * 16)], methods={})
    system.handlers["look"] = answering(msgspec.structs.replace(plain, names={"b" * 16: "traits_obj"}))
    mind()
    code, lines = batos("ask", "Why is it silent?", "--thread", "box")
    assert (code, error_of(lines)["code"]) == (6, "NAME_TAKEN")
    assert "Give the thread another name." in error_of(lines)["hint"]


CITED = [
    {
        "sentence": "The pump is broken.",
        "at": 0,
        "to": 19,
        "supported": True,
        "doc_id": "fountain",
        "chunk_oid": "2a".zfill(16),
    }
    | {"chunk_index": 0, "start": 0, "end": 22},
    {"sentence": "It is blue.", "at": 20, "to": 31, "supported": False},
]


def test_each_sentence_has_a_mark_and_the_places_stand_beneath(mind, home, capsys):
    result = {**RESULT, "answer": "The pump is broken. It is blue.", "citations": CITED}
    mind(MandateReply(mandate="M1", cycle="C1", state="COMPLETE", result=result), [])
    assert main(["--home", str(home.root), "ask", "Why is the fountain silent?"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "The pump is broken. [1] It is blue. [?]",
        "",
        "[1] fountain #0, characters 0 to 22",
        "[?] no passage supports this",
    ]


def test_beneath_an_answer_that_grew_stand_its_places_alone(mind, terminal):
    result = {**RESULT, "citations": CITED[:1]}
    mind(MandateReply(mandate="M1", cycle="C1", state="COMPLETE", result=result))
    code, out, _ = terminal("ask", "Why is the fountain silent?")
    assert (code, out.splitlines()) == (0, ["The pump is broken.", "[1] fountain #0, characters 0 to 22"])
