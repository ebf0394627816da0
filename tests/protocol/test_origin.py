"""Who asks, and what may be asked from there."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.checks.rights import check_right, is_question, right_of
from protocol.envelope import Envelope, open_frame, seal
from protocol.errors import BatosError
from protocol.messages import Accept, Codex, Confirm, Define, Drop, Learn, Mandate, Revert, SetSlots, StatusQuery
from protocol.origin import RIGHTS, Origin, is_same_origin, may, not_allowed
from protocol.verbs import CODEX, MANDATE, STATUS, VERBS

AGENT = Origin(kind="mcp", name="claude-code", login="lena", rights=["ask", "send", "propose"])


def test_an_origin_travels_with_its_request():
    sent = Envelope(id="1", kind="request", service="s", origin=AGENT)
    assert open_frame(seal(sent)).origin == AGENT
    assert open_frame(seal(Envelope(id="1", kind="request", service="s"))).origin is None


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"name": " "}, {"name": "x" * 101}, {"name": "a\nb"}, {"login": "\x1b[2J"}]
)
def test_a_name_that_cannot_be_shown_is_none(wrong):
    with pytest.raises(ValueError):
        Origin(**{"kind": "mcp", "name": "x", **wrong})
    frame = seal(Envelope(id="1", kind="request", service="s", origin=AGENT))
    body = msgspec.msgpack.decode(frame)
    body["origin"] |= wrong
    with pytest.raises(BatosError, match=r"BAD_MESSAGE|BAD_VALUE"):
        open_frame(msgspec.msgpack.encode(body))


def test_a_right_or_a_kind_that_nobody_knows_is_refused():
    body = msgspec.msgpack.decode(seal(Envelope(id="1", kind="request", service="s", origin=AGENT)))
    for wrong in ({"rights": ["everything"]}, {"kind": "root"}):
        with pytest.raises(BatosError):
            open_frame(msgspec.msgpack.encode({**body, "origin": body["origin"] | wrong}))


def test_the_user_of_the_home_may_everything_and_another_one_what_it_has():
    assert all(may(None, right) for right in RIGHTS)
    assert [right for right in RIGHTS if may(AGENT, right)] == ["ask", "send", "propose"]
    assert may(Origin(kind="http", name="t", rights=["install"]), "propose")
    assert not may(Origin(kind="http", name="t", rights=["install"]), "send")


@given(st.sets(st.sampled_from(RIGHTS)))
def test_who_lacks_a_right_is_told_which_and_what_to_do(rights):
    origin = Origin(kind="http", name="t", rights=sorted(rights))
    for verb in (verb for verbs in VERBS.values() for verb in verbs.values()):
        if verb.right is None or may(origin, verb.right):
            continue
        error = not_allowed(origin, verb.right, verb.name)
        assert (error.code, error.data["right"]) == ("NOT_ALLOWED", verb.right)
        assert "http:t" in error.message
        assert "batos token new" in error.hint


def test_every_verb_says_what_it_needs():
    known = {f"{verb.service}.{verb.name}": verb.right for verbs in VERBS.values() for verb in verbs.values()}
    assert {name for name, right in known.items() if right is None} == {f"{service}.status" for service in STATUS}
    decided = {name.partition(".")[2] for name, right in known.items() if right == "install"}
    assert {
        "accept",
        "reject",
        "set",
        "drop",
        "rename",
        "import",
        "unindex",
        "pack",
        "confirm",
        "evict",
        "give",
    } <= decided


@pytest.mark.parametrize(
    ("mandate", "right"),
    [
        (Mandate(target="orchestrator_obj", selector="ask_", args=["?"]), "ask"),
        (Mandate(target="box", selector="ask_", args=["?"]), "send"),
        (Mandate(target="box", selector="area_"), "send"),
        (Mandate(target="box", selector="area_", learn=Learn()), "propose"),
        (Mandate(target="orchestrator_obj", selector="ask_", learn=Learn()), "propose"),
        (Mandate(target="box", selector="", hand=Define(name="box", source="")), "propose"),
        (Mandate(target="box", selector="", hand=Revert(name="box", selector="area_")), "propose"),
        (Mandate(target="box", selector="", hand=SetSlots(name="box", slots={})), "install"),
        (Mandate(target="box", selector="", hand=Drop(name="box")), "install"),
        (Mandate(target="box", selector="", hand=Accept(id="1")), "install"),
        (Mandate(target="orchestrator_obj", selector="ask_", hand=Accept(id="1")), "install"),
        (Mandate(target="box", selector="", hand=Confirm(mandate="1")), "install"),
    ],
)
def test_a_mandate_needs_what_it_asks_for(mandate, right):
    assert right_of(MANDATE, mandate) == right
    assert is_question(mandate) == (right == "ask")


def test_the_codex_is_read_by_all_and_written_by_a_person():
    check_right(AGENT, CODEX, Codex())
    check_right(None, CODEX, Codex(text=""))
    with pytest.raises(BatosError, match="NOT_ALLOWED"):
        check_right(AGENT, CODEX, Codex(text=""))
    check_right(Origin(kind="http", name="nobody"), STATUS["memory"], StatusQuery())


def test_the_same_one_asks_whichever_rights_it_has():
    assert is_same_origin(AGENT, msgspec.structs.replace(AGENT, rights=[]))
    assert not is_same_origin(AGENT, msgspec.structs.replace(AGENT, name="other"))
    assert not is_same_origin(AGENT, None)
    assert is_same_origin(None, None)
