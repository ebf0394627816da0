"""Objects from one world into another: everything is judged and tried here, and one refusal refuses the whole."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol import codec
from protocol.codec import Ref
from protocol.messages import BundledMethod, BundledObject, Example, Learn
from world import root as world_root
from world.store import commit, snapshot
from world.uvm import UvmObject

AREA = "def area_(self):\n    return self.width * self.height\n"
PRICE = "def price_(self):\n    return self.pen.cost * self.area_()\n"
UNSIGNALLED = "def widen_(self, by):\n    self.width = self.width + by\n"
CASE = {"slots": {"width": 3, "height": 4}, "args": [], "kwargs": {}, "returns": 12}


def method(source=AREA, selector=None, **rest):
    digest = hashlib.sha256(source.encode()).hexdigest()
    return BundledMethod(selector=selector or source[4 : source.index("(")], source=source, sha256=digest, **rest)


def box(*methods, name="box", **rest):
    given = {"parents": {"parent*": "traits_obj"}, "slots": {"width": 5, "height": 6}, **rest}
    return BundledObject(name=name, methods=list(methods) or [method(examples=[CASE])], **given)


def digest_of(house):
    """What the world holds of the user's, and when it was last written."""
    with snapshot(house.db) as connection:
        root = connection.root()
        known = {name: dict(here._slots) for name, here in root["objects"].items()}
        return house.db.lastTransaction(), sorted(known), {name: sorted(slots) for name, slots in known.items()}


def untold(_event):
    pass


async def test_what_one_world_gives_another_takes_and_it_answers(house, hand):
    """Parents, owned parts, references, contracts that send to others: all of it, under other names, in one transaction."""
    house.new("shape")
    house.new("pen", cost=2)
    await hand.set("pen", tip={"$ref": "shape"})
    house.new(
        "box",
        width=5,
        height=6,
        pen=codec.named("pen"),
        note={"deep": [codec.named("pen"), {"$dict": [["$ref", "x"]]}]},
    )
    await hand.set("box", parent_STAR=codec.named("shape"))
    await hand.define("shape", AREA)
    house.played.rounds = [[PRICE, PRICE]]
    case = Example(slots={"width": 3, "height": 4}, returns=24, objects={})
    await house.send("box", "price_", key="learn", examples=[case], intent="What it costs.", learn=Learn())
    with commit(house.db, user="test", description="a part of its own") as connection:
        lid = UvmObject(None, width=1)
        connection.root()["objects"]["box"].set_slot("lid", lid)
    given = await hand.give("box")
    assert [(each.name, each.owned) for each in given.objects] == [
        ("box", False),
        ("shape", False),
        ("pen", False),
        ("box.lid", True),
    ]
    assert given.needs == ["traits_obj"]
    [price] = given.objects[0].methods
    assert price.intent == "What it costs."
    assert set(price.examples[0]["objects"]) == {"pen"}
    before = house.db.lastTransaction()
    made = await hand.take(given.objects, told=untold, prefix="shop")
    assert house.db.lastTransaction() > before
    assert [each.name for each in made.objects] == ["shop.box", "shop.shape", "shop.pen"]
    assert [(each.name, each.selector, each.verdict, each.cases) for each in made.methods] == [
        ("box", "price_", "accept", 1),
        ("shape", "area_", "accept", 0),
    ]
    await hand.set("pen", cost=1000)
    assert (await house.send("shop.box", "price_", key="asked")).result == 60
    with snapshot(house.db) as connection:
        here = connection.root()["objects"]["shop.box"]
        assert here.pen is connection.root()["objects"]["shop.pen"]
        assert (here.lid.width, here.lid._name) == (1, None)
        assert (here.note["deep"][0], dict(here.note["deep"][1])) == (here.pen, {"$ref": "x"})
    again = await hand.give("shop.box")
    assert again.objects[0].methods[0].sha256 == price.sha256


@pytest.mark.parametrize(
    ("objects", "code", "told"),
    [
        ([], "BAD_BUNDLE", "no object"),
        ([box(), box()], "BAD_BUNDLE", "twice"),
        ([box(method(), method())], "BAD_BUNDLE", "area_ twice"),
        ([box(msgspec.structs.replace(method(), source=PRICE))], "BAD_BUNDLE", "sha256"),
        ([box(method(selector="size_"))], "BAD_BUNDLE", "is the source of area_"),
        ([box(name="_box")], "BAD_NAME", "'_box'"),
        ([box(slots={"_learning": "auto"})], "BAD_NAME", "'_learning'"),
        ([box(slots={"pen": Ref("00000000000000aa")})], "BAD_BUNDLE", "OID"),
        ([box(slots={"pen": codec.named("00000000000000aa")})], "BAD_BUNDLE", "OID"),
        ([box(slots={"pen": codec.named("standing")})], "BAD_BUNDLE", "not in the bundle"),
        ([box(parents={"parent*": "nobody"})], "BAD_BUNDLE", "not in the bundle"),
        ([box(parents={"parent*": "cycle_traits"})], "BAD_BUNDLE", "kernel"),
        ([box(method(examples=[{**CASE, "objects": {"standing": {}}}]))], "BAD_BUNDLE", "not in the bundle"),
        ([box(method(examples=[{"slots": {}}]))], "BAD_EXAMPLE", "area_"),
        ([box(method(examples=[{**CASE, "args": [1]}]), method(UNSIGNALLED))], "REFUSED", "1 of 2"),
        ([box(method("def infer_(self):\n    return 1\n"))], "BAD_BUNDLE", "kernel"),
        ([box(method("def _doesNotUnderstand_(self, s, a, k):\n    return 1\n"))], "BAD_BUNDLE", "kernel"),
        ([box(method(intent="\x1b[2J"))], "BAD_ARGUMENT", "box.area_: the intent holds"),
        ([box(method(intent="x" * 2001))], "TOO_LARGE", "box.area_: an intent of 2001"),
        ([box(owned=True)], "BAD_BUNDLE", "no object of the bundle has a name"),
        ([box(name="standing"), box(name="other")], "NAME_TAKEN", "standing"),
        ([box(method("import os\n\ndef area_(self):\n    return os.getpid()\n", "area_"))], "REFUSED", "area_"),
        ([box(method("def area_(self:\n    return 1\n"))], "REFUSED", "line 1"),
        ([box(method(examples=[{**CASE, "returns": 13}]))], "REFUSED", "expected 13, got 12"),
        ([box(method("def area_(self):\n    while True:\n        pass\n", examples=[CASE]))], "REFUSED", "area_"),
    ],
)
async def test_what_cannot_come_in_says_why_and_leaves_the_world_as_it_was(house, hand, objects, code, told):
    house.new("standing", secret=1)
    before = digest_of(house)
    error = await hand.refused(hand.take(objects, told=untold))
    assert error.code == code
    assert told in error.message
    assert error.hint
    assert digest_of(house) == before


async def test_every_method_has_its_verdict_where_one_is_refused(house, hand):
    events = []
    sources = [f"def m{n}_(self):\n    return {n}\n" for n in range(5)]
    wrong = method(sources[3], examples=[{"slots": {}, "returns": 4}])
    methods = [method(source, examples=[{"slots": {}, "returns": n}]) for n, source in enumerate(sources)]
    error = await hand.refused(hand.take([box(*methods[:3], wrong, methods[4])], told=events.append))
    told = error.data["methods"]
    assert [(each["selector"], each["verdict"], each["cases"]) for each in told] == [
        (f"m{n}_", "reject" if n == 3 else "accept", 0 if n == 3 else 1) for n in range(5)
    ]
    assert told[3]["violations"][0]["rule"] == "TRIAL_RESULT"
    steps = [event.detail for event in events if event.event == "progress"]
    assert {(each["what"], each["of"]) for each in steps} == {("trial", 5)}
    assert sorted(each["done"] for each in steps if each["what"] == "trial") == [1, 2, 3, 4, 5]


async def test_the_same_key_takes_in_once_and_survives_a_crash(house, hand):
    first = await hand.take([box()], key="k", told=untold)
    await house.crash()
    assert await hand.take([box()], key="k", told=untold) == first
    assert (await hand.refused(hand.take([box()], told=untold))).data["names"] == ["box"]


@pytest.mark.parametrize(
    ("given", "code"), [((), "BAD_ARGUMENT"), (("bok",), "UNKNOWN_OBJECT"), (("traits_obj",), "BAD_ARGUMENT")]
)
async def test_what_cannot_be_given_says_why(house, hand, given, code):
    house.new("box")
    error = await hand.refused(hand.give(*given))
    assert error.code == code
    assert error.hint


async def test_an_object_without_a_name_goes_along_with_one_that_has_one_and_not_alone(house, hand):
    house.new("box", width=1)
    kid = (await house.send("box", "clone_")).result
    error = await hand.refused(hand.give(kid.oid))
    assert (error.code, "has no name" in error.message) == ("BAD_ARGUMENT", True)
    await hand.set("box", kid=kid)
    assert [each.name for each in (await hand.give("box")).objects] == ["box", "box.kid"]


async def test_an_answer_of_ones_own_to_what_is_not_understood_stays_at_home(house, hand):
    house.new("box")
    await hand.define("box", "def _doesNotUnderstand_(self, selector, args, kwargs):\n    return 1\n")
    error = await hand.refused(hand.give("box"))
    assert (error.code, "batos drop box _doesNotUnderstand_" in error.hint) == ("BAD_ARGUMENT", True)


async def test_slots_of_the_system_stay_at_home(house, hand):
    house.new("box", width=1)
    with commit(house.db, user="test", description="consent") as connection:
        connection.root()["objects"]["box"].set_slot("_learning", "deny")
    [given] = (await hand.give("box")).objects
    assert given.slots == {"width": 1}


async def test_a_circle_of_objects_comes_through(house, hand):
    house.new("one")
    house.new("two", other=codec.named("one"))
    await hand.set("one", other=codec.named("two"))
    given = (await hand.give("one")).objects
    await hand.take(given, told=untold, prefix="p")
    with snapshot(house.db) as connection:
        one = world_root.resolve(connection, "p.one")
        assert one.other.other is one


SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=5) | st.binary(max_size=5)
VALUES = st.recursive(
    SCALARS | st.sampled_from([Ref("00000000000000aa"), Ref("00000000000000ab")]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["$ref", "$dict", "a", "b"]) | st.integers(0, 3), inner, max_size=2)
    ),
    max_leaves=8,
)


@given(VALUES)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_names_for_references_are_read_back(value):
    names = {"00000000000000aa": "pen", "00000000000000ab": "box"}
    back = {name: Ref(oid) for oid, name in names.items()}
    assert codec.resolved(codec.by_name(value, lambda ref: names[ref.oid]), back.__getitem__) == value


GOOD = [
    method(examples=[CASE]),
    method("def twice_(self):\n    return self.area_() * 2\n", examples=[{**CASE, "returns": 24}]),
    method("def grow_(self, by):\n    self.width = self.width + by\n    self._p_changed = True\n"),
]
BAD = [
    method(UNSIGNALLED),
    method("def thrice_(self):\n    return self.area_() * 3\n", examples=[{**CASE, "returns": 24}]),
    method("def open_(self):\n    return open('/etc/passwd').read()\n"),
    method("def other_(self):\n    return self.nobody_()\n", examples=[{**CASE, "returns": 1}]),
]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(good=st.sets(st.integers(1, 2)), bad=st.sets(st.integers(0, 3), max_size=2), objects=st.integers(1, 3))
def test_a_bundle_comes_in_whole_or_leaves_the_world_as_it_was(event_loop_policy_free_house, good, bad, objects):
    run, house, hand = event_loop_policy_free_house
    hand.names = getattr(hand, "names", 0) + 1
    here = [box(*(GOOD[n] for n in {0, *good}), name=f"o{n}") for n in range(objects)]
    here[-1] = box(*here[-1].methods, *(BAD[n] for n in bad), name=here[-1].name)
    before = digest_of(house)
    taking = hand.take(here, told=untold, prefix=f"p{hand.names}")
    if bad:
        refused = run(hand.refused(taking)).data["methods"]
        assert digest_of(house) == before
        assert len(refused) == sum(len(each.methods) for each in here)
        assert {each["selector"] for each in refused if each["verdict"] == "reject"} <= {BAD[n].selector for n in bad}
    else:
        assert [each.verdict for each in run(taking).methods] == ["accept"] * sum(len(each.methods) for each in here)
        assert len(digest_of(house)[1]) == len(before[1]) + objects
