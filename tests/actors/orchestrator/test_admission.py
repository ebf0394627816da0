"""Tokens let in whom they name, until they are revoked or their limits are reached."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest

from actors.orchestrator.journal import tokens as kept
from protocol import verbs
from protocol.checks.tokens import MARK, check_token, digest_of, new_token
from protocol.errors import BatosError
from protocol.messages import Admit, Charge, Example, MakeToken, RevokeToken, Tokens
from protocol.origin import Origin, may
from tests.actors.orchestrator.hand.conftest import Hand

AREA = "def area_(self):\n    return self.width * self.height\n"
CASE = Example(slots={"width": 3, "height": 4}, returns=12)
SHOWN = new_token()
DIGEST = digest_of(SHOWN)


@pytest.fixture
def box(house):
    house.new("box", width=5, height=6)
    return Hand(house)


async def made(box, name="laptop", digest=DIGEST, rights=("ask", "send", "propose"), **rest):
    request = MakeToken(name=name, digest=digest, rights=list(rights), **rest)
    await box.ask(verbs.MAKE_TOKEN, request)
    return (await box.ask(verbs.ADMIT, Admit(digest=digest))).origin


async def refused(work):
    with pytest.raises(BatosError) as caught:
        await work
    return caught.value


def test_a_token_is_not_to_be_guessed_and_is_known_by_its_digest():
    assert SHOWN.startswith(MARK)
    assert len({new_token() for _ in range(100)}) == 100
    assert (len(SHOWN) >= 43 + len(MARK), len(DIGEST)) == (True, 64)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": ""}, "BAD_NAME"),
        ({"name": "a b"}, "BAD_NAME"),
        ({"name": "x" * 65}, "BAD_NAME"),
        ({"digest": "00"}, "BAD_ARGUMENT"),
        ({"rights": []}, "BAD_ARGUMENT"),
        ({"mandates": 0}, "BAD_ARGUMENT"),
        ({"daily": -1}, "BAD_ARGUMENT"),
    ],
)
def test_what_makes_no_sense_is_no_token(wrong, code):
    right = MakeToken(name="laptop", digest=DIGEST, rights=["ask"])
    assert check_token(right) is right
    with pytest.raises(BatosError) as caught:
        check_token(msgspec.structs.replace(right, **wrong))
    assert caught.value.code == code


async def test_a_token_lets_in_by_its_digest_and_stands_nowhere(house, box):
    origin = await made(box, daily=1000)
    assert (origin.label, origin.token, origin.rights) == ("http:laptop", DIGEST, ["ask", "send", "propose"])
    assert not may(origin, "install")
    (one,) = (await box.ask(verbs.TOKENS, Tokens())).tokens
    assert (one.name, one.daily, one.today, one.running) == ("laptop", 1000, 0, 0)
    assert SHOWN.encode() not in (house.path / "journal.sqlite").read_bytes()
    error = await refused(box.ask(verbs.ADMIT, Admit(digest=digest_of("batos_another"))))
    assert (error.code, error.exit_code) == ("UNKNOWN_TOKEN", 4)


async def test_a_lost_answer_is_asked_again_and_a_name_is_given_once(box):
    assert await made(box) == await made(box)
    assert (await refused(made(box, digest=digest_of("b")))).code == "NAME_TAKEN"
    assert (await refused(made(box, name="other"))).code == "NAME_TAKEN"
    await box.ask(verbs.REVOKE_TOKEN, RevokeToken(name="laptop"))
    assert (await made(box, digest=digest_of("b"))).name == "laptop"


async def test_a_revoked_token_is_nobody_at_once_and_its_mandates_end(house, box):
    origin = await made(box)
    reached = asyncio.Event()

    async def never():
        reached.set()
        await asyncio.sleep(60)

    house.played.rounds = [never]
    sending = asyncio.create_task(house.send("box", "area_", origin=origin, examples=[CASE]))
    await reached.wait()
    gone = await box.ask(verbs.REVOKE_TOKEN, RevokeToken(name="laptop"))
    assert len(gone.cancelled) == 1
    assert (await refused(sending)).code == "CANCELLED"
    assert (await refused(box.ask(verbs.ADMIT, Admit(digest=DIGEST)))).code == "UNKNOWN_TOKEN"
    assert (await refused(house.send("box", "area_", key="k2", origin=origin))).code == "UNKNOWN_TOKEN"
    assert (await refused(house.send("box", "area_", origin=origin, examples=[CASE]))).code == "UNKNOWN_TOKEN"
    assert (await refused(box.ask(verbs.REVOKE_TOKEN, RevokeToken(name="laptop")))).code == "UNKNOWN_TOKEN"
    await house.crash()
    assert (await refused(box.ask(verbs.ADMIT, Admit(digest=DIGEST)))).code == "UNKNOWN_TOKEN"
    assert (await box.ask(verbs.TOKENS, Tokens())).tokens == []


async def test_what_a_revoked_token_has_under_way_is_cancelled_though_the_process_is_killed_then(
    house, box, monkeypatch
):
    origin = await made(box)
    reached = asyncio.Event()

    async def never():
        reached.set()
        await asyncio.sleep(60)

    house.played.rounds = [never]
    sending = asyncio.create_task(house.send("box", "area_", origin=origin, examples=[CASE]))
    await reached.wait()
    (row,) = await house.journal.run(house.journal.unfinished)

    async def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(house.mandates, "cancel", killed)
    with pytest.raises(KeyboardInterrupt):
        await house.mandates.revoke("laptop")
    await house.crash()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    house.played.rounds = [[AREA] * 2]
    await house.mandates.recover()
    watched = await house.mandates.watch(row.mandate, house.events.append)
    assert (watched.state, watched.error.code) == ("FAILED", "CANCELLED")
    assert await box.proposals() == []


async def test_fifty_at_once_are_no_way_around_the_limit(house, box):
    origin = await made(box, mandates=3)
    reached, opened = 0, asyncio.Event()

    async def write():
        nonlocal reached
        reached += 1
        await opened.wait()
        return [AREA] * 2

    house.played.rounds = [write] * 50
    names = [f"box{n}" for n in range(50)]
    for name in names:
        house.new(name, width=5, height=6)
    sent = [asyncio.create_task(house.send(name, "area_", key=name, origin=origin, examples=[CASE])) for name in names]
    while reached < 3:
        await asyncio.sleep(0.01)
    while sum(task.done() for task in sent) < 47:
        await asyncio.sleep(0.01)
    opened.set()
    ends = await asyncio.gather(*sent, return_exceptions=True)
    assert sum(isinstance(end, BatosError) and end.code == "BUSY" for end in ends) == 47
    assert {end.state for end in ends if not isinstance(end, BatosError)} == {"PROPOSED"}


async def test_only_so_many_mandates_run_for_it_at_once(house, box):
    origin = await made(box, mandates=1)
    reached, opened = asyncio.Event(), asyncio.Event()

    async def write():
        reached.set()
        await opened.wait()
        return [AREA] * 2

    house.played.rounds = [write]
    sending = asyncio.create_task(house.send("box", "area_", key="one", origin=origin, examples=[CASE]))
    await reached.wait()
    error = await refused(house.send("box", "twice_", key="two", origin=origin, examples=[CASE]))
    assert (error.code, error.data["limit"], error.data["most"]) == ("BUSY", "mandates", 1)
    assert (await box.ask(verbs.TOKENS, Tokens())).tokens[0].running == 1
    opened.set()
    assert (await sending).state == "PROPOSED"
    assert (await house.send("box", "area_", key="one", origin=origin, examples=[CASE])).state == "PROPOSED"


async def test_what_is_generated_is_counted_for_the_day_and_survives_a_crash(house, box, monkeypatch):
    origin = await made(box, daily=30)
    house.played.rounds = [[AREA] * 2]
    await house.send("box", "area_", key="one", origin=origin, examples=[CASE])
    spent = (await box.ask(verbs.TOKENS, Tokens())).tokens[0].today
    assert spent == 20, "two texts of ten"
    await box.ask(verbs.CHARGE, Charge(digest=DIGEST, tokens=30 - spent))
    await house.crash()
    error = await refused(house.send("box", "twice_", key="two", origin=origin, examples=[CASE]))
    assert (error.code, error.data["limit"]) == ("BUSY", "daily")
    assert 0 < error.data["until"] - time.time() <= kept.DAY_S
    assert error.data["until"] % kept.DAY_S == 0, "the day ends in UTC"
    assert (await refused(box.ask(verbs.ADMIT, Admit(digest=DIGEST, generates=True)))).code == "BUSY"
    assert (await box.ask(verbs.ADMIT, Admit(digest=DIGEST))).left == 0, "it may look"
    tomorrow = time.time() + kept.DAY_S
    monkeypatch.setattr(kept.time, "time", lambda: tomorrow)
    assert (await box.ask(verbs.ADMIT, Admit(digest=DIGEST, generates=True))).left == 30


async def test_a_charge_is_of_a_token_that_is_known(box):
    await made(box)
    assert (await box.ask(verbs.CHARGE, Charge(digest=DIGEST, tokens=5))).left is None
    assert (await refused(box.ask(verbs.CHARGE, Charge(digest=DIGEST, tokens=-5)))).code == "BAD_ARGUMENT"
    assert (await refused(box.ask(verbs.CHARGE, Charge(digest="0" * 64, tokens=1)))).code == "UNKNOWN_TOKEN"


async def test_no_token_makes_or_revokes_another(house, box):
    origin = await made(box)
    agent = Hand(house, origin)
    for verb, request in (
        (verbs.MAKE_TOKEN, MakeToken(name="more", digest="0" * 64, rights=["install"])),
        (verbs.REVOKE_TOKEN, RevokeToken(name="laptop")),
        (verbs.TOKENS, Tokens()),
        (verbs.ADMIT, Admit(digest=DIGEST)),
    ):
        assert (await refused(agent.ask(verb, request))).code == "NOT_ALLOWED"
    assert isinstance(origin, Origin)
