"""A message that was meant for another one is not written: at the door, and only there."""

from __future__ import annotations

import pytest

from actors.orchestrator.misspelling import near
from protocol.errors import BatosError
from protocol.messages import Example, Learn

AREA = "def area_(self):\n    return self.width * self.height\n"
KNOWN = ["area_", "deposit_", "step1_", "total_price_", "up_"]


@pytest.mark.parametrize(
    ("selector", "meant"),
    [
        ("aera_", ["area_"]),
        ("areas_", ["area_"]),
        ("Area_", ["area_"]),
        ("depositt_", ["deposit_"]),
        ("depsoitt_", ["deposit_"]),
        ("price_total_", ["total_price_"]),
        ("totalPrice_", ["total_price_"]),
        ("volume_", []),
        ("arena2_", []),
        ("step2_", []),
        ("by_", []),
        ("total_", []),
    ],
)
def test_few_letters_or_the_order_of_words_are_a_slip(selector, meant):
    assert near(selector, KNOWN) == meant


@pytest.fixture
def box(house):
    house.new("box", width=5, height=6)
    house.give("box", AREA)
    return house


async def test_a_misspelt_message_is_no_mandate(box):
    box.played.rounds = [["def aera_(self):\n    return 1\n"] * 2]
    with pytest.raises(BatosError) as caught:
        await box.send("box", "aera_")
    error = caught.value
    assert (error.code, error.exit_code, error.data["near"]) == ("MISSPELT", 2, ["area_"])
    assert "--new" in error.hint
    assert await box.journal.run(lambda: box.journal.by_key("k")) is None
    assert box.played.asked == []
    assert (await box.send("box", "aera_", new=True)).state == "PROPOSED"


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"intent": "How large it is."}, "PROPOSED"),
        ({"examples": [Example(returns=1)]}, "COMPLETE"),
        ({"learn": Learn(), "examples": [Example(returns=1)]}, "COMPLETE"),
    ],
)
async def test_one_that_says_what_it_is_for_is_written(box, said, state):
    box.played.rounds = [["def aera_(self):\n    return 1\n"] * 2] * 3
    assert (await box.send("box", "aera_", **said)).state == state


async def test_within_methods_a_message_is_what_it_says(box):
    box.give("box", "def twice_(self):\n    return 2 * self.aera_()\n")
    box.played.rounds = [["def aera_(self):\n    return 4\n"] * 2]
    reply = await box.send("box", "twice_")
    assert (reply.state, reply.method.selector) == ("PROPOSED", "aera_")


async def test_who_answers_by_itself_is_not_asked(box):
    box.give("box", "def _doesNotUnderstand_(self, selector, args, kwargs):\n    return selector\n")
    assert (await box.send("box", "aera_")).result == "aera_"


async def test_a_primitive_and_the_kernels_own_are_not_meant(box):
    box.played.rounds = [["def recal_(self):\n    return 1\n"] * 2]
    assert (await box.send("box", "recal_")).state == "PROPOSED"
