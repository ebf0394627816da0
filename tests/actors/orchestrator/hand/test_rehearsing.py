"""A method of the kernel that would keep the world from answering is refused before it stands, and one that would not is let in."""

from __future__ import annotations

import pytest

from protocol.messages import Example

STATES = "psm_prototypes_obj"
CASE = Example(slots={"width": 5, "height": 6}, returns=30)


@pytest.fixture
def box(house, hand):
    house.new("box", width=5, height=6)
    return hand


BROKEN = {
    "traits_obj": "def _doesNotUnderstand_(self, selector, args, kwargs):\n    return 1 / 0\n",
    "cycle_traits": "def adopt_known_(self, message):\n    return {'source': 'def x_(self)', 'origin': ''}\n",
    "orchestrator_obj": "def ask_(self, question):\n    return self.no_such_message_(question)\n",
}
WHAT = {
    "traits_obj": "a message that is to be learned would fail",
    "cycle_traits": "a message that is to be learned would fail",
    "orchestrator_obj": "a question would fail",
}


@pytest.mark.parametrize("holder", BROKEN)
async def test_what_would_keep_the_world_from_answering_is_refused(house, box, holder):
    before, at = house.look(holder), house.db.lastTransaction()
    error = await box.refused(box.define(holder, BROKEN[holder]))
    assert (error.code, error.exit_code) == ("REFUSED", 4)
    assert WHAT[holder] in error.message
    assert "batos revert" in error.hint
    assert house.look(holder) == before
    assert house.db.lastTransaction() == at
    assert house.played.asked == [], "the model is not asked"
    house.played.rounds = [["def area_(self):\n    return self.width * self.height\n"] * 2]
    assert (await house.send("box", "area_", examples=[CASE])).result == 30


async def test_a_cycle_that_never_ends_is_refused(house, box):
    with_states = {name: ref.oid for name, ref in house.look(STATES).slots.items()}
    idle = "def _process_synthesis_(self):\n    self.become_('IDLE')\n"
    error = await box.refused(box.define(with_states["IDLE"], idle))
    assert (error.code, "would fail" in error.message) == ("REFUSED", True)


async def test_sound_methods_of_the_kernel_and_of_personas_are_let_in(house, box):
    source = house.look("cycle_traits").methods["candidate_sampling_"].source
    await box.define("cycle_traits", source.replace("n = 20", "n = 10"))
    assert "n = 10" in house.look("cycle_traits").methods["candidate_sampling_"].source
    await box.define("BRICK", "def hello_(self):\n    return 'hello'\n")
    assert (await house.send("BRICK", "hello_")).result == "hello"
    cycles = await house.journal.run(lambda: house.journal.cycles(10))
    assert cycles == [], "what was tried has left no cycle"


async def test_an_earlier_version_is_rehearsed_too(house, box):
    sound = house.look("orchestrator_obj").methods["ask_"].source
    hello = "def ask_(self, question):\n    return self.hello_()\n"
    await box.define("orchestrator_obj", f"{hello}\ndef hello_(self):\n    return 'hello'\n")
    await box.define("orchestrator_obj", sound)
    await box.drop("orchestrator_obj", "hello_", force=True)
    error = await box.refused(box.revert("orchestrator_obj", "ask_"))
    assert "a question would fail" in error.message
