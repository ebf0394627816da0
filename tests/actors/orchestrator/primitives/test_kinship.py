"""What the world can do already: who is asked, how near it is, and when it is taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.orchestrator.primitives import kinship
from actors.orchestrator.primitives.kinship import MAX_KIN, renamed
from actors.orchestrator.thinking.thought import RunningCycle, Sender
from protocol.codec import Ref
from protocol.messages import Example, Found, Hit, Learn
from world.method import UvmMethod
from world.store import commit

AREA = "def area_(self):\n    return self.width * self.height\n"
PERIMETER = "def perimeter_(self):\n    return 2 * (self.width + self.height)\n"
CASES = [
    Example(slots={"width": 3, "height": 4}, returns=12),
    Example(slots={"width": 5, "height": 2}, returns=10),
]


@pytest.fixture
def teach(db):
    def teach(name, source, *parameters, author="c1"):
        selector = source.partition("def ")[2].partition("(")[0]
        with commit(db, user="test", description=selector) as connection:
            method = UvmMethod(selector, source=source, parameters=list(parameters), author=author)
            connection.root()["objects"][name].set_slot(selector, method)

    return teach


@pytest.fixture
def kin(script, think):
    """The origins of the kin of a message to an object, and whether each is of the same selector, and near."""

    def kin(oid, selector, *parameters, hits=(), previous=""):
        script.others["search"] = lambda request: Found(hits=list(hits), seconds=0.0)
        thought = think()
        thought.chain.append(RunningCycle(cycle="c", context="x", target=oid, selector=selector))
        message = {"selector": selector, "parameters": list(parameters), "previous": previous, "slots": {}}
        found = script.drive(kinship.kin(Sender(thought, "x", "m"), Ref(oid), message))
        assert thought.overlay.reads == {}, "what is looked at is not read"
        return [(each["origin"], each["is_same"], each["is_near"]) for each in found], found

    return kin


def hit(name, selector):
    facts = {"kind": "method", "object": name, "selector": selector, "source": "def never_(self):\n    return 0\n"}
    return Hit(chunk_oid="0" * 16, doc_id="d", chunk_index=0, score=1.0, text="t", metadata=facts)


def test_the_nearest_come_first(make, teach, kin):
    shape = make("shape")
    box = make("box", parent=shape, width=1, height=2)
    make("crate", parent=shape, width=1, height=2, lid=True)
    make("page", width=1, height=2)
    make("field", width=1, height=2, crop="rye")
    teach("shape", "def girth_(self):\n    return self.width + self.height\n")
    teach("crate", PERIMETER)
    for number, name in enumerate(("field", "page", "crate")):
        teach(name, AREA + "    # " + "x" * number + "\n")
    teach("field", "def yield_(self):\n    return self.width\n")
    assert kin(box, "area_")[0] == [
        ("crate.area_", True, True),
        ("page.area_", True, True),
        ("field.area_", True, False),
        ("shape.girth_", False, True),
        ("crate.perimeter_", False, True),
    ]


def test_it_comes_under_the_selector_that_is_wanted(make, teach, kin):
    box = make("box", width=1, height=2)
    make("page", width=1, height=2)
    teach("page", PERIMETER)
    _, [found] = kin(box, "girth_")
    assert found["source"] == PERIMETER.replace("perimeter_", "girth_")


@pytest.mark.parametrize(
    ("source", "parameters"),
    [
        pytest.param("def area_(self):\n    return self.depth\n", [], id="a slot that the receiver lacks"),
        pytest.param("def area_(self):\n    return self.half_()\n", [], id="a message that it does not understand"),
        pytest.param("def area_(self, by):\n    return self.width * by\n", ["by"], id="more parameters"),
        pytest.param("def perimeter_(self):\n    return self.perimeter_()\n", [], id="it sends its old selector"),
    ],
)
def test_what_cannot_do_is_not_offered(make, teach, kin, source, parameters):
    box = make("box", width=1, height=2)
    make("page", width=1, height=2)
    teach("page", source, *parameters)
    assert kin(box, "area_")[0] == []


def test_primitives_and_the_kernels_methods_are_no_kin(make, kin):
    box = make("box", width=1)
    assert kin(box, "copied_")[0] == []
    assert kin(box, "index_document_", "a", "b", "c")[0] == []


def test_memory_says_where_to_look_and_the_world_what_stands_there(make, teach, kin):
    box = make("box", width=1, height=2)
    for number in range(300):
        make(f"a{number:03}", height=1)
    make("aardvark", width=2, height=1, stripes=9)
    teach("aardvark", AREA)
    assert kin(box, "area_")[0] == [], "a large world is not looked through"
    hits = [hit("aardvark", "area_"), hit("gone", "area_")]
    names, found = kin(box, "surface_", hits=hits)
    assert names == [("aardvark.area_", False, False)]
    assert found[0]["source"] == AREA.replace("area_", "surface_")


def test_those_of_a_like_name_are_looked_at_first_and_few_are_offered(make, teach, kin):
    order = make("order7", lines=[])
    for number in range(MAX_KIN + 5):
        make(f"order{number + 10}", lines=[])
        teach(f"order{number + 10}", f"def count_(self):\n    return len(self.lines) + {number}\n")
    for number in range(250):
        make(f"a{number:03}")
    assert len(kin(order, "count_")[0]) == MAX_KIN


def test_what_is_to_be_written_again_is_not_offered_as_new(make, teach, kin):
    box = make("box", width=1, height=2)
    make("page", width=1, height=2)
    teach("page", AREA)
    assert kin(box, "area_", previous=AREA)[0] == []


@given(st.from_regex(r"[a-z]{1,8}_", fullmatch=True), st.from_regex(r"[a-z]{1,8}_", fullmatch=True))
def test_only_the_line_of_the_def_is_changed(old, new):
    source = f"def {old}(self, n):\n    '''\ndef {old}(self)'''\n    return self.{old}(n)\n"
    lines = renamed(source, old, new).split("\n")
    assert lines[0] == f"def {new}(self, n):"
    assert lines[1:] == source.split("\n")[1:]


async def test_what_another_object_has_learned_is_adopted_without_a_token(house):
    house.new("box", width=5, height=6)
    house.new("page", width=2, height=3)
    house.played.rounds = [[AREA]]
    await house.send("box", "area_", examples=CASES)
    house.played.asked.clear()
    reply = await house.send("page", "area_", key="k2", examples=CASES[:1])
    assert (reply.result, reply.method.origin, house.played.asked) == (6, "box.area_", [])
    assert house.look("page").methods["area_"].origin == "box.area_"
    renamed_ = await house.send("page", "surface_", key="k3", examples=CASES)
    assert (renamed_.result, renamed_.method.origin, house.played.asked) == (6, "page.area_", [])
    assert house.look("page").methods["surface_"].source == AREA.replace("area_", "surface_")


@pytest.mark.parametrize(
    ("selector", "cases"),
    [
        ("surface_", CASES[:1]),
        ("surface_", [CASES[0], CASES[0]]),
        ("surface_", [CASES[0], Example(slots={"width": 0, "height": 4}, returns=0)]),
        ("area_", [Example(slots={"width": 5, "height": 5}, returns=20)]),
    ],
)
async def test_what_may_hold_by_luck_is_not_adopted(house, selector, cases):
    house.new("page", width=2, height=3)
    house.new("box", width=5, height=6)
    house.played.rounds = [[AREA]]
    await house.send("page", "area_", examples=CASES)
    house.played.asked.clear()
    written = AREA.replace("area_", selector).replace("*", "* 1 *")
    if cases[0].returns == 20:
        written = PERIMETER.replace("perimeter_", selector)
    house.played.rounds = [[written]]
    reply = await house.send("box", selector, key="k2", examples=cases)
    assert (reply.method.origin, len(house.played.asked)) == ("", 1)


async def test_a_source_that_the_user_gives_is_judged_before_any_is_written(house):
    house.new("box", width=5, height=6)
    learn = Learn(candidates=[PERIMETER.replace("perimeter_", "area_"), AREA])
    reply = await house.send("box", "area_", examples=CASES, learn=learn)
    assert (reply.learned.installed, reply.learned.source, house.played.asked) == (True, AREA, [])
    assert reply.learned.origin == ""
