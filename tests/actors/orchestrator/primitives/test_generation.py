"""What `infer_` gives back where texts are to be scored, and what is told while they are drawn."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from protocol.errors import BatosError
from protocol.messages import Example, Generated, Inferred, Speed
from world.method import UvmMethod
from world.store import commit

SCORED = """def look_(self):
    return self.infer_('x', n=3, scored=True)
"""
ALONE = """def look_(self):
    return self.infer_('x', scored=True)
"""


def teach(house, source):
    house.new("box", width=3, height=4)
    with commit(house.db, user="test", description="a method") as connection:
        box = connection.root()["objects"]["box"]
        box.set_slot("look_", UvmMethod("look_", source=source))


def answer(house, *rows, **more):
    async def infer(request):
        house.played.asked.append(request)
        return Inferred(rows=list(rows), prompt_tokens=1, seconds=0.1, model="m", **more)

    house.bus.handlers["inference", "infer"] = infer


async def test_scored_texts_come_with_their_likelihood_and_their_tokens(house):
    teach(house, SCORED)
    answer(
        house,
        Generated(text="a", tokens=2, finish="stop", logprob=-0.5),
        Generated(text="", tokens=9, finish="failed", reason="lost"),
        Generated(text="b", tokens=3, finish="length"),
    )
    assert (await house.send("box", "look_")).result == [
        {"text": "a", "logprob": -0.5, "tokens": 2},
        {"text": "b", "logprob": None, "tokens": 3},
    ]
    assert all(row.scored for row in house.played.asked[0].rows)
    # Beside no cycle nothing is drawn for one.
    assert [event for event in house.events if event.event == "drawing"] == []


async def test_one_text_alone_is_not_scored(house):
    teach(house, ALONE)
    with pytest.raises(BatosError) as caught:
        await house.send("box", "look_")
    assert (caught.value.code, "scored" in caught.value.message) == ("METHOD_FAILED", True)


async def test_drawing_candidates_is_told_with_what_is_left(house):
    house.new("box", width=3, height=4)
    wrong, right = ("def area_(self):\n    return self.width * self.height\n", "def area_(self):\n    return 7\n")
    house.played.rounds = [[right], [wrong]]
    speed = Speed(read=9.0, one=5.0, many=30.0, rows=20)
    played = house.played.infer

    async def infer(request):
        return msgspec.structs.replace(await played(request), speed=speed)

    house.bus.handlers["inference", "infer"] = infer
    example = {"slots": {"width": 2}, "args": [], "kwargs": {}, "returns": 8}
    await house.send("box", "area_", examples=[msgspec.convert(example, Example)], seconds=50.0)
    first, second, *_ = told = [event.detail for event in house.events if event.event == "drawing"]
    assert [portion["rows"] for portion in told if portion["round"] == 1] == [1, 7, 12]
    assert (first["tokens_left"], first["tokens_per_s"]) == (20_000, 10.0), "what the model was measured to write alone"
    assert (second["tokens_left"], second["tokens_per_s"]) == (19_990, 30.0)
    assert 0 < second["seconds_left"] <= first["seconds_left"] <= 50
    # And from then on a mandate that names no time gets what that speed asks for.
    assert house.mandates.default_seconds() > 240


async def test_what_was_drawn_before_is_not_told_again(house):
    house.new("box", width=3, height=4)
    house.played.rounds = [["def area_(self):\n    return self.width * self.height\n"]]
    reached = asyncio.Event()

    async def hang(_request):
        reached.set()
        await asyncio.sleep(60)

    trying = house.bus.handlers["guardian", "trial"]
    house.bus.handlers["guardian", "trial"] = hang
    case = Example(slots={"width": 1}, returns=4)
    task = asyncio.create_task(house.send("box", "area_", examples=[case]))
    await reached.wait()
    await house.crash()
    await asyncio.gather(task, return_exceptions=True)
    house.bus.handlers["guardian", "trial"] = trying
    assert (await house.send("box", "area_", examples=[case])).result == 12
    assert [event.detail["rows"] for event in house.events if event.event == "drawing"] == [1, 7, 12]
