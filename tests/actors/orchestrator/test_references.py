"""Objects by their names wherever a person gives a value: as words of the command, through to the world, and as they are shown."""

from __future__ import annotations

import msgspec
import pytest

from actors.orchestrator import views
from cli.calls import mandate
from cli.render import render
from cli.values import read_pairs
from protocol import codec
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.messages import Learn, Look, New, SetSlots

TAKE = "def take_(self, what):\n    self.held = what\n    self._p_changed = True\n    return what\n"
REF = '{"$ref": "pen"}'


@pytest.fixture
def pen(house):
    house.new("box", width=1)
    return Ref(house.new("pen", cost=2).oid)


async def answered(house, *words, key="k", **rest):
    wanted = mandate.read_mandate(*words[:2], words[2:], **rest)
    return (await house.mandates.answer(wanted, key, house.events.append)).result


@pytest.mark.parametrize(
    ("word", "kw"),
    [
        ("@pen", ()),
        (REF, ()),
        (f"[1, {REF}]", ()),
        (f'{{"deep": [{REF}]}}', ()),
        (None, ("what=@pen",)),
        (None, (f"what={REF}",)),
    ],
)
async def test_an_argument_may_name_an_object(house, pen, word, kw):
    house.played.rounds = [[TAKE, TAKE]]
    case = f'{{"args": [{REF}], "returns": {REF}, "slots_after": {{"held": {REF}}}}}'
    await answered(house, "box", "take_(what)", cases=[case], learn=Learn(), key="learn")
    got = await answered(house, "box", "take_", *([word] if word else []), kwargs=kw)
    assert codec.packed(pen) in codec.packed(got)
    assert codec.packed(house.look("box").slots["held"]) == codec.packed(got)


async def test_an_example_may_name_objects_in_all_of_its_parts(house, pen):
    price = "def price_(self, of):\n    return of.cost + self.held.cost\n"
    house.played.rounds = [[price, price], [price, price]]
    case = f'{{"slots": {{"held": {REF}}}, "kwargs": {{"of": {REF}}}, "objects": {{"pen": {{"slots": {{"cost": 5}}}}}}, "returns": 10}}'
    await answered(house, "box", "price_(of)", cases=[case], learn=Learn(), key="learn")
    house.new("crate")
    case = f'{{"args": [{REF}], "slots": {{"held": {REF}}}, "returns": 4}}'
    await answered(house, "crate", "price_(of)", cases=[case], learn=Learn(), key="again")


@pytest.mark.parametrize("word", ["held=@pen", f"held={REF}", f'held=[{{"in": {REF}}}]'])
async def test_a_slot_may_name_an_object(house, pen, word):
    slots = read_pairs([word], "slot")
    views.create(house.store, New(name="crate", slots=slots))
    hand = SetSlots(name="box", slots=slots)
    wanted = msgspec.structs.replace(mandate.read_mandate("box", "area_"), selector="", hand=hand, seconds=9.0)
    await house.mandates.answer(wanted, "set", house.events.append)
    for name in ("box", "crate"):
        assert codec.packed(pen) in codec.packed(house.look(name).slots["held"])


@pytest.mark.parametrize(
    "rest",
    [
        {"args": ["@pan"]},
        {"kwargs": ["what=@pan"]},
        {"cases": ['{"args": [{"$ref": "pan"}], "returns": 1}']},
        {"cases": ['{"objects": {"pan": {}}, "returns": 1}']},
        {"cases": ['{"returns": {"$ref": "pan"}}']},
    ],
)
async def test_a_name_that_means_nothing_is_told_with_what_was_meant(house, pen, rest):
    words = rest.pop("args", [])
    with pytest.raises(BatosError) as caught:
        await answered(house, "box", "take_", *words, **rest)
    assert (caught.value.code, caught.value.hint) == ("UNKNOWN_OBJECT", "Did you mean pen?")


async def test_what_is_shown_of_an_object_has_names_that_can_be_typed(house, pen):
    nobody = house.new("gone").oid
    house.new("crate", held={"$ref": "pen"}, many=[{"$ref": "pen"}, 1], data={"$dict": [["$ref", "pen"]]})
    seen = views.look(house.store, Look(target="crate"))
    assert pen.oid in seen.names
    assert nobody not in seen.names
    lines = render.looked(seen).splitlines()
    assert lines[1:5] == [
        "  held = @pen",
        '  many = [{"$ref": "pen"}, 1]',
        '  data = {"$dict": [["$ref", "pen"]]}',
        "  delegates to @traits_obj",
    ]
