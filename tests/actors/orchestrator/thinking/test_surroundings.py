"""What is shown of the objects in reach: little of each, of few, and none of it counts as read."""

from __future__ import annotations

from actors.orchestrator.thinking.surroundings import MAX_OBJECTS, MAX_SELECTORS, objects_in_reach, understood
from protocol.codec import Ref
from world.method import UvmMethod
from world.store import commit


def method(selector, *parameters, intent=""):
    source = f"def {selector}(self):\n    return 1\n"
    return UvmMethod(selector, source=source, parameters=list(parameters), author="c1", intent=intent)


def teach(db, name, *methods):
    with commit(db, user="test", description="methods") as connection:
        for each in methods:
            connection.root()["objects"][name].set_slot(each.selector, each)


def test_an_object_is_shown_with_its_slots_and_what_it_understands_beyond_all_others(db, make, think):
    product = make("product", vat=7)
    pen = make("pen", parent=product, cents=200, story="x" * 5_000, friend=Ref("0" * 16).oid)
    order = make("order")
    teach(db, "product", method("price_", "currency", intent="what it costs"))
    teach(db, "pen", method("write_"))
    thought = think()
    seen = objects_in_reach(thought.overlay, order, [{"lines": [{"product": Ref(pen)}]}, [Ref(pen), Ref(order)]])
    assert seen == [
        {
            "name": "pen",
            "ref": Ref(pen),
            "slots": {"cents": 200, "friend": "0" * 16, "vat": 7},
            "selectors": [
                {"selector": "write_", "parameters": [], "intent": ""},
                {"selector": "price_", "parameters": ["currency"], "intent": "what it costs"},
            ],
        }
    ]
    assert thought.overlay.reads == {}, "what is shown decides nothing"
    assert understood(thought.overlay, pen, "write_") == seen[0]["selectors"][1:]


def test_few_objects_are_shown_and_few_selectors_of_each(db, make, think):
    made = [make(f"o{number}") for number in range(MAX_OBJECTS + 3)]
    teach(db, "o0", *[method(f"m{number}_") for number in range(MAX_SELECTORS + 3)])
    nobody = [Ref("0000000000ffffff"), Ref("0000000000fffffe")]
    seen = objects_in_reach(think().overlay, "f" * 16, [*nobody, *map(Ref, made)])
    assert [each["name"] for each in seen] == [f"o{number}" for number in range(MAX_OBJECTS)]
    assert len(seen[0]["selectors"]) == MAX_SELECTORS


def test_nothing_of_the_kernel_is_shown_as_a_method_of_an_object(make, think):
    box = make("box", width=1)
    assert understood(think().overlay, box) == []
