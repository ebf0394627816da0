"""The kernel's own methods, judged and run as the guardian judges and runs any other."""

from __future__ import annotations

import pytest

from actors.guardian.jail.jail import Jail
from protocol.codec import Ref
from protocol.messages import Answer, Done, Effect, Judge, Run
from world import awakening

ME = Ref("0" * 16)
SOURCES = {(method.holder, method.selector): method.source for method in awakening.image()}


@pytest.fixture
async def jail():
    opened = Jail(workers=1)
    await opened.start()
    yield opened
    await opened.close()


async def test_every_method_of_the_image_passes_the_gate(jail):
    for (holder, selector), source in SOURCES.items():
        verdict = await jail.run(Judge(source=source, kernel=True))
        assert verdict.accepted, (holder, selector, verdict.violations)
        assert verdict.selector == selector


async def test_no_method_of_the_image_passes_as_a_users_if_it_uses_kernel_names(jail):
    for (_, selector), source in SOURCES.items():
        if selector.startswith("_"):
            assert not (await jail.run(Judge(source=source))).accepted


async def run(jail, selector, *args):
    """What a method of the image returns; what it sends to itself is answered by the image too."""
    source = SOURCES["cycle_traits", selector]
    answers = []
    while True:
        outcome = await jail.run(Run(source=source, receiver=ME, args=list(args), answers=answers, kernel=True))
        if isinstance(outcome, Done):
            return outcome.result
        assert isinstance(outcome, Effect), outcome
        assert outcome.send.receiver == ME
        answers.append(Answer(digest=outcome.digest, value=await run(jail, outcome.send.selector, *outcome.send.args)))


async def test_the_outcome_that_most_share_wins_then_the_shortest(jail):
    passed = [
        {"source": "short", "result": {"returns": 1}},
        {"source": "rather long", "result": {"returns": 2}},
        {"source": "longer", "result": {"returns": 2.0}},
    ]
    assert await run(jail, "most_agreed_", passed) == "longer"


FRIEND, STRANGER = Ref("2a".zfill(16)), Ref("2b".zfill(16))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (FRIEND, "@anna"),
        (STRANGER, "@object"),
        ([1, FRIEND, {"who": FRIEND}], "[1, @anna, {'who': @anna}]"),
        ([10**5000], "[a number of over 60 digits]"),
        ([-(10**70)], "[a number of over 60 digits]"),
        *[
            (plain, repr(plain))
            for plain in (b"\x00a", "it's", 'a"b', True, None, 1.5, -3, [], {}, {1: [b"x"], "k": {}})
        ],
    ],
)
async def test_the_prompt_shows_every_value_that_a_message_may_hold(jail, value, text):
    example = {"slots": {"width": value}, "args": [value], "kwargs": {"by": value}, "slots_after": {"tall": value}}
    message = {
        "selector": "area_",
        "slots": {"width": value},
        "args": [value],
        "kwargs": {},
        "examples": [{**example, "returns": value}],
        "names": [[FRIEND, "anna"]],
    }
    [turn] = await run(jail, "_construct_architectural_covenant_prompt", message, [], [])
    shown = turn["content"]
    assert f"# slots: width = {text}\n" in shown
    assert f"# self.area_({text}, by={text}) changes tall to {text} and -> {text}\n" in shown
    assert FRIEND.oid not in shown
    bare = {**message, "examples": []}
    [turn] = await run(jail, "_construct_architectural_covenant_prompt", bare, [], [])
    assert f"# slots: width = {text}\n" in turn["content"]


async def test_the_prompt_cuts_what_is_large_or_deep(jail):
    deep = 1
    for _ in range(50):
        deep = [deep]
    for value in (list(range(100_000)), {str(n): n for n in range(50_000)}, "x" * 900_000, deep):
        message = {"selector": "area_", "slots": {"width": value}, "args": [], "kwargs": {}, "examples": []}
        [turn] = await run(jail, "_construct_architectural_covenant_prompt", message, [], [])
        assert f"# slots: width = {repr(value)[:60]}\n" in turn["content"]
