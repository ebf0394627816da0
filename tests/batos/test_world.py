"""A program asks the world as if it were its own objects, and is told clearly where it is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import batos
from batos import AsyncWorld, World
from protocol.errors import CODES, BatosError
from protocol.messages import Event
from protocol.origin import Origin

AREA = "def area_(self):\n    return self.width * self.height\n"
GROW = "def grow_(self, by):\n    self.width = self.width + by\n    self._p_changed = True\n    return self.width\n"
CASE = {"slots": {"width": 3, "height": 4}, "returns": 12}


def test_an_object_is_made_asked_and_changed(world, box):
    assert (box.width, box["height"], box.slots()) == (5, 6, {"width": 5, "height": 6})
    box.width = 7
    assert box.width == 7
    box.set(width=8, height=9)
    assert box.slots() == {"width": 8, "height": 9}
    del box.height
    assert "height" not in box
    assert world["box"] == box == world.get(box.ref.oid)
    assert (world.objects(), list(world), "box" in world, "crate" in world, "no name" in world) == (
        ["box"],
        ["box"],
        True,
        False,
        False,
    )


def test_a_method_takes_its_own_arguments_and_nothing_else(world, box):
    box.define(AREA)
    box.define(GROW)
    assert (box.area_(), box.grow_(2), box.grow_(by=1), box.width) == (30, 7, 8, 8)
    with pytest.raises(batos.WorkFailed, match="timeout"):
        box.grow_(1, timeout=3)


def test_a_message_that_nobody_understands_is_written_by_its_examples(world, box, played):
    played.rounds = [[AREA] * 2]
    reply = box.send("area_", intent="its area", examples=[CASE], timeout=60, key="k")
    assert (reply.result, reply.state, reply.synthesized, reply.key) == (30, "COMPLETE", True, "k")
    assert reply.method.source == AREA
    assert box.send("area_", intent="its area", examples=[CASE], key="k").mandate == reply.mandate
    assert "area_" in box._repr_html_()
    assert "<" not in repr(reply).replace("<missing>", "")


def test_what_waits_for_the_users_word_is_no_result(world, box, played):
    played.rounds = [[AREA] * 2]
    with pytest.raises(batos.Proposed, match="waits for your word") as caught:
        box.area_()
    (one,) = world.proposals()
    assert (one.id, one.selector) == (caught.value.proposal, "area_")
    made = world.accept(one.id)
    assert world.watch(made.sends).result == 30
    assert box.area_() == 30


def test_what_happens_on_the_way_is_told_as_it_happens(world, box, played, later):
    make, open_ = later
    played.rounds = [make(AREA)]
    stream = box.stream("area_", examples=[CASE])
    seen = []
    for event in stream:
        assert isinstance(event, Event)
        seen.append(event.event)
        if event.event == "drawing":
            open_()
    assert (seen[0], "judged" in seen) == ("accepted", True)
    assert stream.reply().result == 30
    assert list(stream) == []


def test_who_stops_listening_leaves_the_mandate_to_go_on(world, box, played, later):
    make, open_ = later
    played.rounds = [make(AREA)]
    stream = box.stream("area_", examples=[CASE])
    mandate = next(iter(stream)).mandate
    stream.close()
    open_()
    assert world.watch(mandate).result == 30


def test_a_mandate_is_cancelled(world, box, played, later):
    make, _ = later
    played.rounds = [make(AREA)]
    stream = box.stream("area_", examples=[CASE])
    assert world.cancel(next(iter(stream)).mandate).cancelled
    with pytest.raises(batos.Error, match="CANCELLED"):
        stream.reply()


def test_an_object_is_a_value_and_comes_back_as_one(world, box):
    pen = world.new("pen", ink=3, box=box)
    assert pen.box == box
    pen.holds = [box, {"in": box}]
    assert pen.holds == [box, {"in": box}]
    box.define("def itself_(self, other):\n    return [other, self.width]\n")
    assert box.itself_(pen) == [pen, 5]
    assert box.itself_({"$ref": "pen"}) == [{"$ref": "pen"}, 5], "data stays data"
    with pytest.raises(batos.BadInput, match="BAD_VALUE"):
        box.itself_(object())


def test_a_slot_of_the_parents_is_read_and_an_own_one_written(world, box):
    crate = world.new("crate", parent=box)
    assert (crate.width, crate.slots()) == (5, {})
    crate.width = 1
    assert (crate.width, box.width) == (1, 5)


def test_slots_that_are_called_like_the_clients_words_are_reached(world):
    odd = world.new("odd", {"send": 1, "slots": 2, "parent": 3, "key": 4})
    assert (odd["send"], odd["slots"], odd.parent, odd.key) == (1, 2, 3, 4)
    assert odd.slots() == {"send": 1, "slots": 2, "parent": 3, "key": 4}
    with pytest.raises(AttributeError, match=r"thing\['send'\] = …"):
        odd.send = 5
    with pytest.raises(AttributeError, match="client's own"):
        del odd.send
    odd["send"] = 5
    assert odd["send"] == 5
    assert "[&#x27;send&#x27;]" in odd._repr_html_()
    del odd["send"]
    assert "send" not in odd


def test_an_object_goes_whole_and_only_when_that_is_said(world, box):
    pen = world.new("pen", product=box)
    with pytest.raises(batos.Conflict, match="IN_USE"):
        box.drop()
    with pytest.raises(TypeError, match="a slot has a name"):
        del box[None]
    pen.drop()
    assert box.drop().name == "box"
    assert "box" not in world


def test_what_python_looks_for_is_no_question(behind, world, box):
    behind.bus.calls.clear()
    for name in ("__wrapped__", "_ipython_display_", "_repr_png_", "__array__"):
        assert not hasattr(box, name)
    assert behind.bus.calls == []
    assert not hasattr(box, "nothing")
    assert "area_" not in dir(box)
    box.define(AREA)
    assert {"area_", "width", "send"} <= set(dir(box))
    with pytest.raises(TypeError):
        iter(box)
    with pytest.raises(TypeError, match="a slot has a name"):
        box[0]


def test_a_closed_stream_says_so(world, box, played, later):
    stream = box.stream("area_", examples=[CASE])
    assert next(iter(stream)).event == "accepted"
    stream.close()
    with pytest.raises(batos.BadInput, match="this stream was closed"):
        stream.reply()


def test_text_of_the_world_is_no_markup(world):
    page = world.new("page", text="<script>alert(1)</script>")
    assert "<script>" not in page._repr_html_()
    assert "page" in world._repr_html_()


def test_methods_have_a_history(world, box):
    box.define(AREA)
    box.define("def area_(self):\n    return 0\n")
    assert [one.stands for one in box.history("area_")] == [True, False]
    box.revert("area_")
    assert (box.area_(), box.check().ok, world.check().ok) == (30, True, True)
    with pytest.raises(batos.Refused, match="REFUSED"):
        box.define("def area_(self):\n    import os\n")


def test_texts_are_remembered_found_and_forgotten(world):
    world.remember("The valve was made by Emil Rask.", id="fountain")
    (hit,) = world.search("valve", top_k=3)
    assert hit.doc_id == "fountain"
    assert world.forget("fountain").doc_id == "fountain"
    assert world.search("valve") == []
    with pytest.raises(batos.BadInput, match="BAD_DOCUMENT"):
        world.remember(7, id="x")


def test_a_method_is_learned_without_being_sent(world, box, played):
    played.rounds = [[AREA] * 2]
    lesson = box.learn("area_", examples=[CASE], intent="its area")
    assert (lesson.installed, lesson.method.source) == (True, AREA)
    assert "def area_" in lesson._repr_html_()


def test_an_origin_is_held_to_its_rights(behind, box, played):
    agent = World(origin=Origin(kind="mcp", name="agent", rights=["ask", "send", "propose"]))
    assert agent.get("box").width == 5
    with pytest.raises(batos.NotAllowed, match="NOT_ALLOWED"):
        agent["box"].width = 9
    assert agent.define("box", AREA).proposal is not None


# Failures ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_a_class(code):
    error = batos.errors.typed(BatosError(code, "what", "next", fact=1))
    assert isinstance(error, batos.Error)
    assert (error.code, error.data, error.exit_code) == (code, {"fact": 1}, CODES[code].exit_code)
    assert str(error) == f"{code}: what. next"
    assert batos.errors.typed(error) is error


def test_what_python_has_a_word_for_is_that_too(world, tmp_path):
    with pytest.raises(LookupError, match="UNKNOWN_OBJECT"):
        world.get("nothing")
    with pytest.raises(ValueError, match="BAD_NAME"):
        world.new("no name")
    with pytest.raises(ValueError, match="BAD_SELECTOR"):
        world.send("box", "no selector")


def test_where_nothing_runs_it_says_so(tmp_path):
    with pytest.raises(ConnectionError, match="batos --home"):
        World(tmp_path / "nowhere").objects()


def test_several_threads_ask_at_once_and_nobody_has_anothers_answer(world, box):
    box.define("def same_(self, what):\n    return what\n")
    wrong = []

    def ask(number):
        wrong.extend((number, turn) for turn in range(10) if box.same_([number, turn]) != [number, turn])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_ctrl_c_ends_the_waiting_and_says_how_to_come_back(world, box, played, later):
    make, open_ = later
    played.rounds = [make(AREA)]
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt) as caught:
        box.send("area_", examples=[CASE], key="mine")
    assert any("world.watch" in note for note in caught.value.__notes__)
    open_()
    assert box.send("area_", examples=[CASE], key="mine").result == 30


def test_a_closed_world_connects_again(world, box):
    world.close()
    assert box.width == 5


FORKED = """
import os, sys
from batos import BadInput, World
world = World(sys.argv[1])
child = os.fork()
if not child:
    try:
        world.objects()
    except BadInput as error:
        print("child:", error.hint)
    try:
        World(sys.argv[1]).objects()
    except ConnectionError as error:
        print("another:", error.code)
    sys.stdout.flush()
    os._exit(0)
os.waitpid(child, 0)
"""


def test_a_fork_is_told_and_makes_its_own(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.splitlines() == ["child: Make a World here: World().", "another: NOT_RUNNING"]


LIGHT = """
import sys
from batos import World
heavy = {"torch", "transformers", "ZODB", "ZEO", "rich", "click", "numpy", "mcp", "starlette", "uvicorn"}
print(sorted(heavy & set(sys.modules)))
World(sys.argv[1])
print(sorted(heavy & set(sys.modules)))
"""


def test_the_client_brings_no_model_and_no_database_along(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LIGHT, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("[]\n[]\n", "")


# With a loop of one's own --------------------------------------------------------------------------------------------


def test_the_same_with_await(behind, played):
    async def work():
        async with AsyncWorld() as world:
            box = await world.new("box", width=5, height=6)
            await world.define(box, AREA)
            assert await box.area_() == 30
            assert (await box.get("width"), await box.slots()) == (5, {"width": 5, "height": 6})
            await box.set(width=7)
            assert (await box.send("area_")).result == 42
            with pytest.raises(AttributeError, match=r"await thing\.get"):
                _ = box.width
            stream = world.stream(box, "area_")
            assert [event.event async for event in stream] == ["accepted"]
            assert (await stream.reply()).result == 42
            with pytest.raises(batos.Unknown):
                await world.get("nothing")
            assert set(await world.status()) == {"orchestrator", "inference", "memory", "guardian", "broker"}

    behind.run(work())


def test_nothing_of_the_world_is_asked_twice_for_one_send(behind, box):
    box.define(AREA)
    box.area_()
    behind.bus.calls.clear()
    began = time.monotonic()
    box.area_()
    if time.monotonic() - began < batos.line.FRESH_S:
        assert [verb for _, verb, _ in behind.bus.calls if verb != "status"] == ["mandate"]
