"""How a command reaches a service that is only coming up."""

from __future__ import annotations

import asyncio
import math

import pytest

from cli import wire
from protocol import verbs
from protocol.errors import BatosError
from protocol.messages import ActorStatus, New


class Coming:
    """A bus whose service is there, and ready from the question of that number on."""

    def __init__(self, ready):
        self.asked = 0
        self._ready = ready

    async def call(self, *_words, **_options):
        self.asked += 1
        return ActorStatus(ready=self.asked >= self._ready, pid=1, uptime_s=0.0)


async def test_who_is_there_and_not_ready_is_given_a_moment(home):
    bus = Coming(3)
    await wire.reach(home, bus, "orchestrator")
    assert bus.asked == 3


async def test_who_loads_a_model_answers_for_itself(home, monkeypatch):
    monkeypatch.setattr(wire, "STARTING_S", 0.1)
    bus = Coming(1_000_000)
    await wire.reach(home, bus, "memory")
    assert bus.asked > 1


# Asking again -------------------------------------------------------------------------------------------------

AWAY = [BatosError(code, "away") for code in ("NOT_READY", "NOT_RUNNING", "BUSY")]
LOST = BatosError("NOT_READY", "lost on the way", lost=True)


async def test_only_what_was_lost_goes_out_again():
    again = wire.Again(5)
    assert [again.may(error) for error in AWAY] == [False, False, False]
    assert again.may(LOST)
    assert [again.may(error) for error in AWAY] == [True, True, True]
    assert not again.may(BatosError("BAD_VALUE", "no such thing"))


async def test_who_says_that_it_was_lost_need_not_be_away_then():
    again = wire.Again(5)
    assert not again.may(BatosError("STORAGE", "the storage went away", lost=True))
    assert again.may(AWAY[0])


async def test_from_the_first_loss_on_there_is_less_time():
    again = wire.Again(math.inf, once_lost=7)
    again.may(AWAY[0])
    assert again.left == math.inf
    again.may(LOST)
    until = again.until
    again.may(LOST)
    assert (again.left <= 7, again.until) == (True, until)
    soon = wire.Again(3, once_lost=7)
    soon.may(LOST)
    assert soon.left <= 3


async def test_who_was_back_meanwhile_is_lost_anew():
    again = wire.Again(math.inf, once_lost=7)
    assert again.may(AWAY[0], was_taken=True)
    assert again.left <= 7
    again.back()
    assert (again.left, again.is_lost) == (math.inf, False)
    assert not again.may(AWAY[0])


async def test_a_rest_is_no_longer_than_the_time_that_is_left(monkeypatch):
    rests = []

    async def rest(seconds):
        rests.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", rest)
    await wire.Again(5).rest()
    await wire.Again(-1).rest()
    assert rests == [wire.AGAIN_S, 0.0]


@pytest.fixture
def told(monkeypatch):
    """What the bus says to one request after the other; an error is raised."""
    said = []

    class Bus(Coming):
        async def __aenter__(self):
            return self

        async def __aexit__(self, *_):
            return None

        async def call(self, verb, *words, **options):
            if verb is verbs.STATUS["orchestrator"]:
                return await super().call()
            answer = said.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    monkeypatch.setattr(wire, "client", lambda _home: Bus(1))
    return said


async def test_a_request_with_a_key_goes_out_again(home, told):
    told += [LOST, *AWAY, "done"]
    assert await wire.ask(home, verbs.NEW, New(name="box"), key="k") == "done"
    assert told == []


@pytest.mark.parametrize(("key", "error"), [("", LOST), ("k", AWAY[0]), ("k", BatosError("NAME_TAKEN", "is taken"))])
async def test_a_request_that_was_not_lost_or_has_no_key_goes_out_once(home, told, key, error):
    told += [error, "done"]
    with pytest.raises(BatosError) as caught:
        await wire.ask(home, verbs.NEW, New(name="box"), key=key)
    assert (caught.value, told) == (error, ["done"])


async def test_a_request_that_comes_too_late_says_how_to_ask_for_its_answer(home, told, monkeypatch):
    told += [BatosError("TIMEOUT", "no answer"), "done"]
    with pytest.raises(BatosError) as caught:
        await wire.ask(home, verbs.NEW, New(name="box"), key="k1")
    assert (caught.value.code, caught.value.data["key"], told) == ("TIMEOUT", "k1", ["done"])
    assert "--key k1" in caught.value.hint
    monkeypatch.setattr(wire, "ANSWER_S", wire.AGAIN_S / 2)
    told[:] = [LOST, "done"]
    with pytest.raises(BatosError) as caught:
        await wire.ask(home, verbs.NEW, New(name="box"), key="k2")
    assert (caught.value.code, caught.value.data["key"]) == ("NOT_READY", "k2")


def test_a_person_is_told_of_a_home_and_not_of_a_broker(home):
    assert str(home.root) in wire.told(home, BatosError("NOT_RUNNING", "no broker")).message
    assert wire.told(home, LOST) is LOST
