"""Pages of large things, objects made once for a key, and names that mean one thing."""

from __future__ import annotations

import asyncio

import pytest

from actors.orchestrator import views
from protocol import codec
from protocol.errors import BatosError
from protocol.messages import Look, Mandate, New
from world.method import UvmMethod
from world.store import commit
from world.uvm import UvmObject

ROOT_OID = "0" * 16


def pages(house, target, limit):
    """Every page of `target`, one after the other."""
    after, found = None, []
    while True:
        found.append(views.look(house.store, Look(target=target, after=after, limit=limit)))
        after = found[-1].next
        if after is None:
            return found


def refused(work):
    with pytest.raises(BatosError) as caught:
        work()
    return caught.value


async def test_the_root_shows_its_objects_page_by_page(house):
    names = [f"box{number}" for number in range(7)]
    for name in names:
        house.new(name)
    found = pages(house, "root", 3)
    assert [list(page.slots["objects"]) for page in found] == [names[:3], names[3:6], names[6:]]
    assert [page.next for page in found] == ["box2", "box5", None]
    assert all("traits_obj" in page.slots for page in found)
    assert len(pages(house, "root", 7)) == 1, "a page that is full to the last one is the last one"


async def test_an_object_shows_its_slots_and_methods_page_by_page(house):
    house.new("box", **{f"s{number}": number for number in range(5)})
    found = pages(house, "box", 2)
    assert [page.slots for page in found] == [{"s0": 0, "s1": 1}, {"s2": 2, "s3": 3}, {"s4": 4}]
    assert all(page.parents == found[0].parents for page in found)
    whole = [page.methods for page in pages(house, "cycle_traits", 1000)]
    parts = [page.methods for page in pages(house, "cycle_traits", 4)]
    assert len(parts) > 2
    assert {name: view for part in parts for name, view in part.items()} == whole[0]


async def test_a_page_ends_before_it_is_too_large_for_a_frame(house):
    large = "x" * 1_000_000
    with commit(house.db, user="test", description="large") as connection:
        made = UvmObject("store", **{f"s{number}": large for number in range(9)})
        made.set_slot("parent*", connection.root()["traits_obj"])
        connection.root()["objects"]["store"] = made
    found = pages(house, "store", 100)
    assert [len(page.slots) for page in found] == [4, 4, 1]


async def test_a_page_that_cannot_be_is_refused(house):
    house.new("box", width=5)
    for request in (Look(target="box", limit=0), Look(target="root", limit=1001), Look(target="box", after="height")):
        assert refused(lambda request=request: views.look(house.store, request)).code == "BAD_ARGUMENT"


async def test_the_same_key_makes_an_object_once(house):
    wanted = New(name="box", slots={"width": 5})
    made = views.create(house.store, wanted, "k1")
    house.meddle("box", 1)
    assert views.create(house.store, wanted, "k1") == made
    house.new("other")
    await house.crash()
    assert views.create(house.store, wanted, "k1") == made
    assert refused(lambda: views.create(house.store, wanted, "k2")).code == "NAME_TAKEN"
    assert refused(lambda: views.create(house.store, wanted)).code == "NAME_TAKEN"
    other = New(name="box", slots={"width": 6})
    assert refused(lambda: views.create(house.store, other, "k1")).code == "CONFLICT"
    assert refused(lambda: views.create(house.store, wanted, "k" * 300)).code == "BAD_ARGUMENT"


async def test_an_object_that_was_made_without_a_key_is_no_ones_answer(house):
    house.new("box")
    assert refused(lambda: views.create(house.store, New(name="box"), "k")).code == "NAME_TAKEN"


@pytest.mark.parametrize("name", ["root", "traits_obj", "orchestrator_obj", "BRICK"])
async def test_no_object_takes_a_name_that_means_something(house, name):
    assert refused(lambda: house.new(name)).code == "NAME_TAKEN"


async def test_the_root_can_be_seen_whatever_an_older_world_calls_so(house):
    assert house.look("root") == house.look(ROOT_OID)
    with commit(house.db, user="test", description="an older world allowed it") as connection:
        made = UvmObject("root", width=5)
        made.set_slot("parent*", connection.root()["traits_obj"])
        connection.root()["objects"]["root"] = made
    assert house.look("root").slots == {"width": 5}
    assert "root" in house.look(ROOT_OID).slots["objects"]


async def test_the_root_takes_no_message_and_says_what_it_is_for(house):
    for target in ("root", ROOT_OID):
        with pytest.raises(BatosError) as caught:
            await house.send(target, "area_")
        assert (caught.value.code, "batos look" in caught.value.hint) == ("UNKNOWN_OBJECT", True)


async def test_a_codex_takes_no_name_of_the_root(house):
    reply = await house.codex()
    with pytest.raises(BatosError) as caught:
        await house.codex(reply.text.replace("BABS", "root"))
    assert caught.value.code == "NAME_TAKEN"


async def test_a_mistyped_name_hints_at_personas_and_root_objects_too(house):
    for target, meant in (("brick", "BRICK"), ("trait_obj", "traits_obj")):
        assert refused(lambda target=target: house.look(target)).hint == f"Did you mean {meant}?"
    assert refused(lambda: house.look("nothing")).hint == "Make it: `batos new nothing slot=json …`."


async def test_no_age_is_negative_when_the_clock_is_put_back(house, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 9e12)
    await house.journal.run(lambda: house.journal.begin("c1", "m1", "m", "t", "area_"))
    await house.journal.run(lambda: house.journal.enter("c1", "IDLE"))
    monkeypatch.undo()
    found = await house.journal.run(lambda: views.cycles(house.journal, "c1", 1))
    assert (found.cycles[0].seconds, found.story.seconds, found.story.states[0].seconds) == (0.0, 0.0, 0.0)


async def test_a_list_of_cycles_says_whose_they_are_and_what_was_asked(house):
    oid = house.new("box").oid
    asked = codec.pack(Mandate(target="orchestrator_obj", selector="ask_", args=["Who keeps the light?"]))
    for mandate, body, target, selector in (
        ("m1", b"", oid, "area_"),
        ("m2", asked, "0" * 16, "ask_"),
        ("m3", asked, oid, "iceman_facet_"),
    ):
        await house.journal.run(lambda m=mandate, b=body: house.journal.accept(m, m, b, 1.0))
        await house.journal.run(lambda m=mandate, t=target, s=selector: house.journal.begin(f"c{m}", m, "m", t, s))
        await house.journal.run(lambda m=mandate: house.journal.enter(f"c{m}", "IDLE"))
    found = await house.journal.run(lambda: views.cycles(house.journal, None, 9))
    named = await house.store.run(lambda: views.named(house.store, found))
    assert [(one.name, one.selector, one.question) for one in named.cycles] == [
        ("box", "iceman_facet_", ""),
        ("", "ask_", "Who keeps the light?"),
        ("box", "area_", ""),
    ]
    story = views.named(house.store, await house.journal.run(lambda: views.cycles(house.journal, "cm1", 1))).story
    assert (story.name, story.question) == ("box", "")


async def test_as_many_mandates_as_may_wait_keep_nobody_from_a_look_and_a_cancel(house):
    asked = asyncio.Event()

    async def never(_request):
        asked.set()
        await asyncio.Event().wait()

    house.bus.handlers["guardian", "run"] = never
    house.new("box", width=5)
    with commit(house.db, user="test", description="a method") as connection:
        method = UvmMethod("width_", source="def width_(self):\n    return self.width\n")
        connection.root()["objects"]["box"].set_slot("width_", method)
    waiting = [asyncio.create_task(house.send("box", "width_", key=f"k{number}")) for number in range(64)]
    await asked.wait()
    while len(await house.journal.run(house.journal.unfinished)) < len(waiting):
        await asyncio.sleep(0.01)
    assert (await house.store.run(lambda: house.look("box"))).slots == {"width": 5}
    for row in await house.journal.run(house.journal.unfinished):
        assert (await house.mandates.cancel(row.mandate)).cancelled
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert {end.code for end in ends} == {"CANCELLED"}
