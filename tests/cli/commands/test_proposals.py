"""What waits for a person's word, from the command: shown in 80 columns, settled by an id's beginning, told by exit code 8."""

from __future__ import annotations

import asyncio

import pytest

from cli.calls.sending import Sending
from protocol.errors import BatosError
from protocol.failure import Failure
from protocol.messages import (
    Accepted,
    Event,
    Learned,
    Listed,
    Mandate,
    MandateReply,
    MethodMade,
    Proposal,
    ProposalsReply,
    Rejected,
    SlotsSet,
    Watched,
)

NEVER = object()
OID = "00000000000000ab"
ID = "1344f5e3e167ea69"
AREA = "def area_(self):\n    return self.width * self.height\n"
MADE = MethodMade(selector="area_", sha256="ab" * 32, attempts=2, source=AREA)
LEARNED = Learned(source=AREA, sha256="ab" * 32, installed=False, reason="it waits for its user's word")
PROPOSED = MandateReply(mandate="M1", cycle="C1", state="PROPOSED", method=MADE, learned=LEARNED, tid=OID, proposal=ID)
DONE = MandateReply(mandate="M1", state="COMPLETE", result=30, tid=OID)
ONE = Proposal(
    id=ID,
    name="box" * 30,
    oid=OID,
    selector="area_",
    sha256="ab" * 32,
    replaces="cd" * 32,
    doubts=[{"slots": {"width": 0}, "args": [], "kwargs": {}, "answers": [{"sha256": "a", "outcome": {"returns": 1}}]}],
    age_s=7300.0,
    state="waiting",
    mandate="M1",
    cycle="C1",
    source=AREA,
    parameters=[],
    intent="How much it covers.",
    examples=[],
    origin="",
    verdict="accept",
    cases=[{"passed": True, "rule": "", "message": ""}],
    result={"returns": 30, "changed": {}, "removed": []},
    diff="--- area_ as it stands\n+++ area_ as proposed\n@@ -1,2 +1,2 @@\n-    return 1\n+    return self.width * self.height",
    moved=True,
)
STANDS = Accepted(
    id=ID, name="box", oid=OID, selector="area_", sha256="ab" * 32, moved=False, mandate="M1", sends="M1", tid=OID
)


@pytest.fixture
def asked(system):
    """Every request with its key; `system.answers` by verb may be changed, a list is one answer after the other."""
    seen = []
    system.answers = {
        "mandate": PROPOSED,
        "proposals": ProposalsReply(proposals=[ONE]),
        "list": Listed(kind="proposals", items=[]),
        "accept": STANDS,
        "reject": Rejected(id=ID, name="box", oid=OID, selector="area_", sha256="ab" * 32, because="no"),
        "watch": Watched(mandate="M1", cycle=None, state="COMPLETE", result=30),
        "set": SlotsSet(name="box", oid=OID, slots=["_learning"], tid=OID),
    }

    def answering(verb):
        async def handler(request, call):
            seen.append((verb, request, call.envelope.idem))
            if verb == "mandate":
                call.partial(Event(event="accepted", mandate="M1"))
            answer = system.answers[verb]
            answer = answer.pop(0) if isinstance(answer, list) else answer
            if isinstance(answer, BatosError):
                raise answer
            if answer is NEVER:
                await asyncio.sleep(60)
            return answer

        return handler

    system.handlers = {verb: answering(verb) for verb in system.answers}
    system.start()
    return seen


def test_a_send_that_waits_for_your_word_says_so(asked, batos):
    code, lines = batos("send", "box", "area_", "--key", "k1")
    answer = lines[-1]
    assert (code, answer["state"], answer["result"], answer["proposal"]) == (8, "PROPOSED", None, ID)
    assert (answer["synthesized"], answer["method"]["selector"], answer["doubts"]) == (False, "area_", [])


def test_a_person_sees_the_method_and_both_answers(asked, told):
    code, out, err = told("send", "box", "area_")
    assert (code, out) == (8, f"{ID}\n")
    assert "area_ waits for your word (2 attempts, abababababab):" in err
    assert "    return self.width * self.height" in err
    assert f"accept {ID}" in err
    assert f"reject {ID} --because TEXT" in err


def test_who_waits_is_answered_under_the_same_key_once_it_is_settled(asked, system, batos):
    system.answers["mandate"] = [PROPOSED, DONE]
    code, lines = batos("send", "box", "area_", "--wait")
    assert (code, lines[-1]["result"]) == (0, 30)
    (_, first, key), (_, second, other) = asked
    assert (first.wait, second.wait, key == other) == (False, True, True)


def test_who_waits_in_vain_has_what_is_known(asked, system, batos):
    system.answers["mandate"] = [PROPOSED, NEVER]
    code, lines = batos("send", "box", "area_", "--wait", "--timeout", "0.5")
    assert (code, lines[-1]["state"], lines[-1]["proposal"]) == (8, "PROPOSED", ID)


def test_who_stops_waiting_is_told_what_waits(home):
    sending = Sending(home, Mandate(target="box", selector="area_"), None, None)
    sending.id, sending.proposal = "M1", ID
    error = sending.abandoned("INTERRUPTED", "interrupted")
    assert (error.exit_code, f"proposals {ID}" in error.hint, error.data["mandate"]) == (130, True, "M1")


def test_who_waits_for_a_rejection_is_told_why(asked, system, batos):
    system.answers["mandate"] = [PROPOSED, BatosError("REJECTED", "user:me has rejected it: no")]
    code, lines = batos("send", "box", "area_", "--wait")
    assert (code, lines[-1]["error"]["code"]) == (1, "REJECTED")


def test_waiting_and_not_waiting_at_once_is_no_order(asked, batos):
    code, [line] = batos("send", "box", "area_", "--wait", "--detach")
    assert (code, line["error"]["code"], asked) == (2, "USAGE", [])


def test_a_learning_and_a_question_may_wait_too(asked, system, batos, told):
    code, lines = batos("learn", "box", "area_", "--example", '{"returns":1}')
    assert (code, lines[-1]["state"], lines[-1]["proposal"], lines[-1]["tid"]) == (8, "PROPOSED", ID, OID)
    code, lines = batos("ask", "Who was the keeper?")
    assert (code, lines[-1]["state"], lines[-1]["answer"], lines[-1]["proposal"]) == (8, "PROPOSED", None, ID)
    code, out, err = told("ask", "Who was the keeper?")
    assert (code, out, f"accept {ID}" in err) == (8, f"{ID}\n", True)


def test_an_acceptance_ends_with_the_answer_to_the_message(asked, batos, told):
    code, lines = batos("accept", ID[:5], "--key", "k1")
    assert (code, lines[-1]["sha256"], lines[-1]["sent"]["result"]) == (0, "ab" * 32, 30)
    (verb, request, key), (then, watched, _) = asked
    assert (verb, request.id, request.send, key, then, watched.id) == ("accept", ID[:5], True, "k1", "watch", "M1")
    code, out, err = told("accept", ID)
    assert (code, out, "box.area_ is installed (abababababab)" in err) == (0, "30\n", True)


@pytest.mark.parametrize(
    ("sent", "exit_code"),
    [
        (Watched(mandate="M1", cycle=None, state="FAILED", error=Failure("METHOD_FAILED", "so it is")), 1),
        (Watched(mandate="M1", cycle=None, state="FAILED", error=Failure("COVENANT_BREACH", "so it is")), 4),
        (Watched(mandate="M1", cycle="C2", state="PROPOSED", proposal="beef"), 8),
    ],
)
def test_an_acceptance_whose_message_ends_otherwise_says_so(asked, system, batos, sent, exit_code):
    system.answers["watch"] = sent
    code, lines = batos("accept", ID)
    assert (code, lines[-1]["selector"], lines[-1]["sent"]["state"]) == (exit_code, "area_", sent.state)


def test_without_send_nothing_is_followed(asked, system, batos):
    system.answers["accept"] = Accepted(
        id=ID, name="box", oid=OID, selector="area_", sha256="ab" * 32, moved=True, mandate="M1", tid=OID
    )
    code, lines = batos("accept", ID, "--no-send")
    assert (code, lines[-1]["sent"], [verb for verb, *_ in asked]) == (0, None, ["accept"])


def test_a_rejection_takes_its_reason_along(asked, told):
    code, out, _ = told("reject", ID, "--because", "it must multiply")
    assert (code, out) == (0, "box.area_ is rejected (abababababab); the next attempt is told why\n")
    assert asked[0][1].because == "it must multiply"


def test_what_waits_is_listed_and_shown_whole_within_80_columns(asked, batos, told):
    code, lines = batos("proposals")
    assert (code, lines[-1]["proposals"][0]["replaces"], lines[-1]["next"]) == (0, "cd" * 32, None)
    code, out, _ = told("proposals")
    assert (code, "replaces one" in out, "the world has moved" in out, "2 h ago" in out) == (0, True, True, True)
    code, whole, _ = told("proposals", ID[:4])
    assert asked[-1][1].id == ID[:4]
    for told_ in (
        "How much it covers.",
        "+    return self.width * self.height",
        "the message itself: 30",
        "held: 1 of 1",
    ):
        assert told_ in whole
    assert f"accept {ID}" in whole
    # What is to be pasted is whole, and its home is no longer than a home is.
    assert max(len(line) for line in (out + whole).splitlines() if "--home" not in line) <= 80


def test_nothing_waits(asked, system, told):
    system.answers["proposals"] = ProposalsReply(proposals=[])
    assert told("proposals")[1] == "nothing waits for your word\n"
    assert told("ls", "proposals")[1] == "nothing waits for your word\n"


def test_proposals_are_listed_among_other_things(asked, system, told):
    item = {"id": ID, "name": "box", "selector": "area_", "sha256": "ab", "replaces": None, "doubts": 2, "age_s": 1.0}
    system.answers["list"] = Listed(kind="proposals", items=[item])
    code, out, _ = told("ls", "proposals")
    assert (code, ID in out, "box.area_" in out, "2 doubts" in out) == (0, True, True, True)


@pytest.mark.parametrize("word", ["_learning=propose", '_learning="propose"'])
def test_consent_is_set_with_or_without_the_quotes_of_json(asked, batos, word):
    code, _ = batos("set", "box", word)
    assert (code, asked[0][1].slots) == (0, {"_learning": "propose"})


@pytest.mark.parametrize("word", ["_learning=maybe", '_learning="maybe"'])
def test_consent_has_three_values(asked, batos, word):
    code, [line] = batos("set", "box", word)
    assert (code, line["error"]["code"], asked) == (2, "BAD_VALUE", [])
    assert "auto, propose, deny" in line["error"]["message"]
