"""Where a model begins on the ladder of forms: configured, known, or found once, and in nobody's way."""

from __future__ import annotations

import asyncio

import pytest

from actors.orchestrator import views
from actors.orchestrator.mandates import Mandates
from actors.orchestrator.publish import place
from protocol.errors import BatosError
from protocol.home import Inference, Settings
from protocol.messages import BaseModelReply, Example, Learn, Look
from world.method import UvmMethod
from world.placements import placement_of, shipped
from world.store import commit, snapshot

ASKS = """def write_method_(self):
    rungs = self.placement_()
    self.conclude_('def rungs_(self):\\n    return ' + repr(rungs) + '\\n', '', [], [])
    return ''
"""
GIVES_UP = """def write_method_(self):
    self.placement_()
    return 'nothing came of it'
"""
FORM = """def open_grammar_(self, message, is_begun):
    return self.candidate_grammar_(message, 0)
"""
BALANCE = """def balance_(self):
    total = 0
    for entry in self.entries:
        total += entry['amount'] if entry['kind'] == 'in' else -entry['amount']
    return total
"""
TAKE = """def take_(self, count):
    if count > self.stock:
        return False
    self.stock = self.stock - count
    self._p_changed = True
    return True
"""
RIGHT = [
    "def perimeter_(self):\n    return 2 * (self.width + self.height)\n",
    "def longer_than_(self, letters):\n    return [word for word in self.words if len(word) > letters]\n",
    BALANCE,
    TAKE,
]
UNLIKE = "def perimeter_(self):\n    return 10\n"
REFUSED = "def take_(self):\n    import os\n"
WRONG = [UNLIKE, RIGHT[1], REFUSED, REFUSED]


def bodies(sources):
    """What a model says that goes on from the `def` lines of these."""
    return [source.partition("\n")[2] for source in sources]


@pytest.fixture
def asks(house):
    """The house, where a method that must be written says on which rungs that is tried."""
    teach(house, write_method_=ASKS, open_grammar_=FORM)
    house.new("box")
    house.new("jar")
    return house


async def rungs_of(house, name, **rest):
    """What its method says that is written now. An example is owed, so that it is installed; nobody here tries it."""
    return await house.send(name, "rungs_", examples=[Example(returns=[])], **rest)


def teach(house, **methods):
    with commit(house.db, user="test", description="other methods") as connection:
        for selector, source in methods.items():
            connection.root()["cycle_traits"].set_slot(selector, UvmMethod(selector, source=source, author="test"))


def serve(house, digest="of another model", **more):
    house.model = BaseModelReply(digest=digest, source="another", **more)


def kept(house, digest="of another model"):
    with snapshot(house.db) as connection:
        return placement_of(connection, digest)


async def test_the_shipped_model_is_placed_and_nothing_is_drawn_for_it(asks):
    assert (await rungs_of(asks, "box")).result == ["narrow", "open"]
    assert asks.played.asked == []


@pytest.mark.parametrize(
    ("form", "grammars", "rungs"),
    [
        ("narrow", True, ["narrow", "open"]),
        ("open", True, ["open", "free"]),
        ("free", True, ["free", "open"]),
        ("auto", False, ["free"]),
        ("free", False, ["free"]),
        ("open", False, ["open", "free"]),
    ],
)
async def test_the_configuration_has_the_word_and_a_server_without_grammars_writes_free_texts(
    asks, form, grammars, rungs
):
    serve(asks, grammars=grammars)
    asks.mandates = Mandates(asks.store, asks.journal, asks.bus, Settings(inference=Inference(form=form)))
    assert (await rungs_of(asks, "box")).result == rungs
    assert (asks.played.asked, kept(asks)) == ([], None)


@pytest.mark.parametrize(("texts", "form", "solved"), [(RIGHT, "open", [1, 1, 1, 1]), (WRONG, "narrow", [0, 1, 0, 0])])
async def test_a_model_is_placed_once_by_what_it_makes_of_four_tasks(asks, texts, form, solved):
    serve(asks)
    asks.played.rounds = [bodies(texts)]
    reply = await rungs_of(asks, "box")
    assert reply.result[0] == form
    [asked] = asks.played.asked
    assert [(row.sampling.temperature, row.max_tokens, bool(row.grammar)) for row in asked.rows] == [
        (0.0, 96, True)
    ] * 4
    found = kept(asks)
    assert (found["form"], [one["solved"] for one in found["tried"]]) == (form, [bool(one) for one in solved])
    assert {one["tokens"] for one in found["tried"]} == {10}
    # None of it was an attempt at the message.
    assert (reply.method.attempts, [event for event in asks.events if event.event == "judged"]) == (0, [])
    assert (await rungs_of(asks, "jar", key="k2")).result == reply.result
    assert len(asks.played.asked) == 1


async def test_whoever_looks_at_the_model_sees_where_it_begins(asks):
    serve(asks)
    asks.played.rounds = [bodies(RIGHT)]
    await rungs_of(asks, "box")
    shown = views.look(asks.store, Look(target="pLLM_obj")).slots["placements"]
    assert {digest: found["form"] for digest, found in shown.items()} == {
        "of another model": "open",
        next(iter(shipped())): "narrow",
    }


async def test_a_placement_is_told_as_it_is_drawn(asks):
    serve(asks)
    asks.played.rounds = [bodies(RIGHT)]
    await rungs_of(asks, "box")
    [event] = [event for event in asks.events if event.event == "drawing"]
    assert (event.detail["round"], event.detail["form"], event.cycle is not None) == (0, "open", True)


async def test_a_mandate_that_fails_has_still_placed_the_model(asks):
    teach(asks, write_method_=GIVES_UP)
    serve(asks)
    asks.played.rounds = [bodies(RIGHT)]
    with pytest.raises(BatosError) as caught:
        await rungs_of(asks, "box")
    assert caught.value.code == "NOT_SYNTHESIZED"
    assert kept(asks)["form"] == "open"


async def test_a_dry_run_keeps_nothing(asks):
    serve(asks)
    asks.played.rounds = [bodies(RIGHT)]
    example = Example(args=[], returns=["open", "free"])
    reply = await asks.send("box", "rungs_", examples=[example], learn=Learn(dry_run=True))
    assert "'open'" in reply.learned.source
    assert kept(asks) is None


async def test_mandates_that_place_at_once_are_not_in_each_others_way(asks):
    serve(asks)
    meet = asyncio.Barrier(2)

    async def together():
        await meet.wait()
        return bodies(RIGHT)

    asks.played.rounds = [together, together]
    one, two = await asyncio.gather(rungs_of(asks, "box"), rungs_of(asks, "jar", key="k2"))
    assert one.result == two.result == ["open", "free"]
    assert len(asks.played.asked) == 2


async def test_after_a_crash_what_was_drawn_is_not_drawn_again(asks):
    teach(asks, write_method_=ASKS.replace("self.conclude_(", "self.recall_('x', 1)\n    self.conclude_("))
    serve(asks)
    asks.played.rounds = [bodies(RIGHT)]
    reached = asyncio.Event()

    async def hang(_request):
        reached.set()
        await asyncio.sleep(60)

    searching = asks.bus.handlers["memory", "search"]
    asks.bus.handlers["memory", "search"] = hang
    task = asyncio.create_task(rungs_of(asks, "box"))
    await reached.wait()
    await asks.crash()
    await asyncio.gather(task, return_exceptions=True)
    asks.bus.handlers["memory", "search"] = searching
    assert (await rungs_of(asks, "box")).result == ["open", "free"]
    assert len(asks.played.asked) == 1


async def test_a_form_that_inference_cannot_keep_is_none_to_begin_at(asks):
    serve(asks)
    asks.played.rounds = [BatosError("BAD_CONSTRAINT", "no such form")]
    assert (await rungs_of(asks, "box")).result == ["narrow", "open"]


async def test_the_first_word_stands(house):
    place(house.db, "d", {"form": "open", "tried": []})
    place(house.db, "d", {"form": "narrow", "tried": []})
    assert kept(house, "d") == {"form": "open", "tried": []}


@pytest.mark.parametrize("found", ["open", {}, {"form": "wide"}])
async def test_only_a_rung_is_a_placement(asks, found):
    teach(asks, write_method_=f"def write_method_(self):\n    self.place_('d', {found!r})\n")
    with pytest.raises(BatosError) as caught:
        await rungs_of(asks, "box")
    assert (caught.value.code, kept(asks, "d")) == ("METHOD_FAILED", None)


async def test_only_a_running_cycle_places(house):
    with pytest.raises(BatosError) as caught:
        await house.send("cycle_traits", "place_", "d", {"form": "open"})
    assert (caught.value.code, kept(house, "d")) == ("METHOD_FAILED", None)
