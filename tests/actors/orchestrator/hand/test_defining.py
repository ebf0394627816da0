"""Methods that a person writes: through the gates, held to what they replace, and all of a source or none."""

from __future__ import annotations

import getpass

import pytest

from actors.orchestrator.hand import proving
from protocol.messages import Example, Learn
from world.method import UvmMethod, digest
from world.store import snapshot

AREA = "def area_(self):\n    return self.width * self.height\n"
GROW = "def grow_(self, by):\n    self.width = self.width + by\n    self._p_changed = True\n    return self.area_()\n"
SILENT = "def widen_(self, by):\n    self.width = self.width + by\n"
CASE = Example(slots={"width": 3, "height": 4}, args=[], returns=12)
USER = f"user:{getpass.getuser()}"


@pytest.fixture
def box(house, hand):
    house.new("box", width=5, height=6)
    return hand


def standing(house, name="box"):
    return {selector: view.sha256 for selector, view in house.look(name).methods.items()}


async def test_the_methods_of_a_source_stand_on_the_object_and_answer(house, box):
    made = await box.define("box", f"{AREA}\n\n{GROW}")
    assert [(method.selector, method.sha256, method.verdict) for method in made.methods] == [
        ("area_", digest(AREA), "accept"),
        ("grow_", digest(GROW), "accept"),
    ]
    assert standing(house) == {"area_": digest(AREA), "grow_": digest(GROW)}
    assert house.look("box").methods["area_"].author == USER
    assert (await house.send("box", "grow_", 1)).result == 36
    said = [(done["user_name"], done["description"]) for done in house.db.undoLog(0, 5)]
    assert [(user.strip(), told) for user, told in said if told.startswith("define")] == [("user", "define box")]


async def test_one_that_is_refused_leaves_the_world_as_it_was_and_says_the_line_in_the_file(house, box):
    before = house.db.lastTransaction()
    error = await box.refused(box.define("box", f"{AREA}\n{SILENT}"))
    assert (error.code, error.exit_code, error.data["line"]) == ("REFUSED", 4, 5)
    assert [method["verdict"] for method in error.data["methods"]] == ["accept", "reject"]
    assert house.db.lastTransaction() == before
    assert standing(house) == {}


@pytest.mark.parametrize(
    ("source", "code", "told"),
    [
        ("\n", "BAD_ARGUMENT", "empty"),
        ("def area_(self:\n    return 1\n", "REFUSED", "line 1"),
        (f"{AREA}{AREA}", "BAD_ARGUMENT", "area_ twice"),
        ("def area(self):\n    return 1\n", "BAD_SELECTOR", "'area' is no selector"),
        (f"{AREA}\ndef x_(self):\n    return (\n", "REFUSED", "BND007"),
        ("def _secret_(self):\n    return 1\n", "REFUSED", "POL008"),
    ],
)
async def test_what_cannot_be_defined_says_why(box, source, code, told):
    error = await box.refused(box.define("box", source))
    assert error.code == code
    assert told in error.message
    assert error.hint


async def test_an_object_that_is_not_there_is_named(box):
    error = await box.refused(box.define("bok", AREA))
    assert (error.code, error.hint) == ("UNKNOWN_OBJECT", "Did you mean box?")


async def learned(house):
    house.played.rounds = [[AREA, AREA]]
    await house.send("box", "area_", key="learn", examples=[CASE], intent="How large it is.", learn=Learn())


async def test_the_contract_of_what_is_replaced_must_hold(house, box):
    await learned(house)
    wrong = "def area_(self):\n    return self.width + self.height\n"
    error = await box.refused(box.define("box", wrong))
    assert (error.code, error.data["example"]["returns"]) == ("REFUSED", 12)
    assert "example 1" in error.message
    assert "expected 12, got 7" in error.message
    assert "--drop-contract" in error.hint
    assert standing(house) == {"area_": digest(AREA)}
    better = "def area_(self):\n    return self.height * self.width\n"
    await box.define("box", better)
    with snapshot(house.db) as connection:
        method = connection.root()["objects"]["box"]._slots["area_"]
        assert (method.source, method.intent, len(method.examples)) == (better, "How large it is.", 1)
    await box.define("box", wrong, drop_contract=True)
    with snapshot(house.db) as connection:
        assert list(connection.root()["objects"]["box"]._slots["area_"].examples) == []
    assert (await house.send("box", "area_", key="then")).result == 11


async def test_the_same_key_defines_once_and_answers_the_same(house, box):
    first = await box.define("box", AREA, key="k1")
    await box.define("box", "def area_(self):\n    return 0\n")
    await house.crash()
    assert await box.define("box", AREA, key="k1") == first
    assert standing(house)["area_"] != digest(AREA)
    assert (await box.refused(box.define("box", GROW, key="k1"))).code == "CONFLICT"


async def test_a_method_that_stands_already_is_no_change(house, box):
    await box.define("box", AREA)
    before = house.db.lastTransaction()
    assert (await box.define("box", AREA)).tid is None
    assert house.db.lastTransaction() == before


async def test_only_what_was_read_is_replaced(house, box):
    await box.define("box", AREA, replaces="")
    error = await box.refused(box.define("box", "def area_(self):\n    return 0\n", replaces=""))
    assert (error.code, error.exit_code) == ("REPLACED", 6)
    await box.define("box", "def area_(self):\n    return 0\n", replaces=digest(AREA))


async def test_an_object_may_have_its_own_answer_to_what_it_does_not_understand(house, box):
    proxy = "def _doesNotUnderstand_(self, selector, args, kwargs):\n    return [selector, args]\n"
    await box.define("box", proxy)
    assert (await house.send("box", "anything_", 1)).result == ["anything_", [1]]
    await box.define("traits_obj", "def _doesNotUnderstand_(self, selector, args, kwargs):\n    return 'no'\n")
    house.new("pen")
    assert (await house.send("pen", "anything_", key="pen")).result == "no"


async def test_memory_is_told_of_what_a_person_has_written(house, box):
    await box.define("box", AREA)
    [memo] = [entry for entry in house.caught_up if entry["metadata"]["kind"] == "method"]
    assert memo["metadata"]["source"] == AREA


async def test_it_is_done_after_a_crash_where_it_was_accepted(house, box, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*_):
        raise Killed

    monkeypatch.setattr(proving, "gated", die)
    with pytest.raises(Killed):
        await box.define("box", AREA, key="k")
    monkeypatch.undo()
    await house.crash()
    assert standing(house) == {}
    assert await house.mandates.recover() == 1
    made = await box.define("box", AREA, key="k")
    assert made.tid is not None
    assert standing(house) == {"area_": digest(AREA)}


async def test_a_method_is_a_method(house, box):
    await box.define("box", AREA)
    with snapshot(house.db) as connection:
        assert isinstance(connection.root()["objects"]["box"]._slots["area_"], UvmMethod)
