"""How a command asks a service that may be lost on the way."""

from __future__ import annotations

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


# Asking again -------------------------------------------------------------------------------------------------

AWAY = [BatosError(code, "away") for code in ("NOT_READY", "NOT_RUNNING", "BUSY")]
LOST = BatosError("NOT_READY", "lost on the way", lost=True)


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
