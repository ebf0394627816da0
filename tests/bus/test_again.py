"""Which errors let a request go out again, for whom, and for how long."""

from __future__ import annotations

import asyncio
import math

import pytest

from bus.again import AGAIN_S, Again
from protocol.errors import CODES, BatosError, Disposition

AWAY = [BatosError(code, "away") for code in ("NOT_READY", "NOT_RUNNING", "BUSY")]
LOST = BatosError("NOT_READY", "lost on the way", lost=True)
PINNED = BatosError("BUSY", "somebody has pinned what fills every slot", pinned=["one"])


async def test_only_what_was_lost_goes_out_again():
    again = Again(5)
    assert [again.may(error) for error in AWAY] == [False, False, False]
    assert again.may(LOST)
    assert [again.may(error) for error in AWAY] == [True, True, True]
    assert not again.may(BatosError("BAD_VALUE", "no such thing"))


async def test_who_says_that_it_was_lost_need_not_be_away_then():
    again = Again(5)
    assert not again.may(BatosError("STORAGE", "the storage went away", lost=True))
    assert again.may(AWAY[0])


async def test_from_the_first_loss_on_there_is_less_time():
    again = Again(math.inf, once_lost=7)
    again.may(AWAY[0])
    assert again.left == math.inf
    again.may(LOST)
    until = again.until
    again.may(LOST)
    assert (again.left <= 7, again.until) == (True, until)
    soon = Again(3, once_lost=7)
    soon.may(LOST)
    assert soon.left <= 3


async def test_who_was_back_meanwhile_is_lost_anew():
    again = Again(math.inf, once_lost=7)
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
    await Again(5).rest()
    await Again(-1).rest()
    assert rests == [AGAIN_S, 0.0]


@pytest.mark.parametrize("code", CODES)
async def test_who_is_patient_waits_for_what_the_table_calls_away_and_for_nothing_else(code):
    again = Again(5, is_patient=True)
    assert again.may(BatosError(code, "an error")) == (Disposition.AWAY in CODES[code].disposition)


@pytest.mark.parametrize("is_patient", [True, False])
async def test_nobody_waits_for_what_is_pinned(is_patient):
    again = Again(5, is_patient=is_patient)
    again.may(LOST)
    assert not again.may(PINNED)


# A request and its attempts -----------------------------------------------------------------------------------


@pytest.fixture
def attempt(monkeypatch):
    """An attempt that comes to one of `said` after the other; an error is raised. `left`: the time that each had."""
    monkeypatch.setattr("bus.again.AGAIN_S", 0.001)

    async def attempt(left):
        attempt.left.append(left)
        answer = attempt.said.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    attempt.said, attempt.left = [], []
    return attempt


async def test_an_attempt_is_made_until_one_succeeds(attempt):
    attempt.said += [*AWAY, LOST, "done"]
    assert await Again(60, is_patient=True).answer(attempt) == "done"
    assert attempt.left == sorted(attempt.left, reverse=True)
    assert len(attempt.left) == 5


async def test_another_error_ends_the_attempts(attempt):
    refused = BatosError("BAD_VALUE", "no such thing")
    attempt.said += [AWAY[0], refused, "done"]
    with pytest.raises(BatosError) as caught:
        await Again(60, is_patient=True).answer(attempt)
    assert (caught.value, attempt.said) == (refused, ["done"])


async def test_when_no_time_is_left_no_attempt_is_made(attempt):
    attempt.said += ["done"]
    with pytest.raises(TimeoutError):
        await Again(0, is_patient=True).answer(attempt)
    assert attempt.left == []


async def test_the_attempts_end_with_the_time(attempt):
    attempt.said += [AWAY[0]] * 10_000
    with pytest.raises(TimeoutError):
        await Again(0.02, is_patient=True).answer(attempt)
    assert attempt.left
