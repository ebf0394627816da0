"""A method is replaced, by whomever, only if those that send it still hold what they owe, or the break is accepted."""

from __future__ import annotations

import pytest

from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Example, Learn, OtherObject
from world.method import digest
from world.store import snapshot

AREA = "def area_(self):\n    return self.width * self.height\n"
SUM = "def area_(self):\n    return self.width + self.height\n"
SWAPPED = "def area_(self):\n    return self.height * self.width\n"
COST = "def cost_(self, of):\n    return 2 * of.area_()\n"


@pytest.fixture
async def sent(house):
    """`till.cost_` owes what it makes of the area of a box; `box.area_` owes nothing that tells a product from a sum."""
    house.new("box", width=2, height=2)
    house.new("till")
    house.played.rounds = [[AREA, AREA]]
    await house.send("box", "area_", key="area", examples=[Example(slots={"width": 2, "height": 2}, returns=4)])
    box = Ref(house.look("box").oid)
    case = Example(args=[box], objects={"box": OtherObject(slots={"width": 2, "height": 5})}, returns=20)
    house.played.rounds = [[COST, COST]]
    await house.send("till", "cost_", box, key="cost", parameters=["of"], examples=[case])
    return house


async def test_a_method_that_is_written_again_is_held_to_the_contracts_of_what_sends_it(sent):
    sent.played.rounds = [[SUM, SUM], [SWAPPED, SWAPPED]]
    reply = await sent.send("box", "area_", key="again", learn=Learn(again=True))
    assert reply.method.source == SWAPPED
    rows = await sent.journal.run(lambda: sent.journal.verdicts(reply.cycle))
    (problem,) = [row.problem for row in rows if row.source == SUM]
    assert "breaks the contract of till.cost_: example 1" in problem
    assert "expected 20, got 14" in problem


async def test_the_break_can_be_accepted_by_name(sent):
    sent.played.rounds = [[SUM, SUM]]
    new = Example(slots={"width": 2, "height": 5}, returns=7)
    how = Learn(again=True, drop_contract=True)
    reply = await sent.send("box", "area_", key="again", learn=how, examples=[new])
    assert reply.method.source == SUM
    with snapshot(sent.db) as connection:
        (kept,) = connection.root()["objects"]["box"]._slots["area_"].examples
        assert kept["returns"] == 7


async def test_no_state_of_the_machine_installs_what_breaks_a_sender(sent, hand):
    """The kernel's own methods can be edited; what a method owes to its senders does not hang on them."""
    choice = "def judge_(self, target, source, message):\n    return {'sha256': '', 'problem': '', 'cases': [], 'result': None}\n"
    await hand.define("cycle_traits", choice)
    sent.played.rounds = [[SUM, SUM]]
    with pytest.raises(BatosError) as caught:
        await sent.send("box", "area_", key="again", learn=Learn(again=True))
    assert "breaks the contract of till.cost_" in caught.value.message
    sent.played.rounds = [["def area_(self):\n    return 0\n"] * 2]
    with pytest.raises(BatosError) as caught:
        await sent.send("box", "area_", key="once more", learn=Learn(again=True))
    assert "breaks the contract of area_: example 1" in caught.value.message
    assert sent.look("box").methods["area_"].source == AREA


async def test_who_has_sent_a_message_under_a_selector_that_its_source_does_not_have_is_known_by_its_steps(house, hand):
    house.new("box", width=2, height=5)
    house.new("till", asked="area_")
    await hand.define("box", AREA)
    total = "def total_(self, of):\n    return sum(self.send_all_([[of, self.asked, [], {}]]))\n"
    box = Ref(house.look("box").oid)
    case = Example(
        args=[box], slots={"asked": "area_"}, objects={"box": OtherObject(slots={"width": 2, "height": 5})}, returns=10
    )
    house.played.rounds = [[total, total]]
    await house.send("till", "total_", box, key="learn", parameters=["of"], examples=[case])
    await house.send("till", "total_", box, key="send")
    error = await hand.refused(hand.define("box", SUM))
    assert "the contract of till.total_: example 1" in error.message


async def test_an_earlier_version_that_breaks_a_sender_stands_again_only_where_that_is_accepted(sent, hand):
    await hand.define("box", SUM, drop_contract=True)
    await hand.define("box", AREA)
    error = await hand.refused(hand.revert("box", "area_", digest(SUM)))
    assert error.code == "REFUSED"
    assert "the contract of till.cost_: example 1" in error.message
    assert "--drop-contract" in error.hint
    assert sent.look("box").methods["area_"].source == AREA
    await hand.revert("box", "area_", digest(SUM), drop_contract=True)
    assert sent.look("box").methods["area_"].source == SUM


async def test_an_object_that_is_gone_owes_nothing(sent, hand):
    await hand.drop("till")
    await hand.define("box", SUM)
