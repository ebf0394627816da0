"""The kernel's own methods, judged and run as the guardian judges and runs any other."""

from __future__ import annotations

import ast

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
    [turn] = await run(jail, "_construct_architectural_covenant_prompt", message, "narrow", [])
    shown = turn["content"]
    assert f"# slots: width = {text}\n" in shown
    assert f"# self.area_({text}, by={text}) changes tall to {text} and -> {text}\n" in shown
    assert FRIEND.oid not in shown
    bare = {**message, "examples": []}
    [turn] = await run(jail, "_construct_architectural_covenant_prompt", bare, "narrow", [])
    assert f"# slots: width = {text}\n" in turn["content"]


async def test_the_prompt_cuts_what_is_large_or_deep(jail):
    deep = 1
    for _ in range(50):
        deep = [deep]
    for value in (list(range(100_000)), {str(n): n for n in range(50_000)}, "x" * 900_000, deep):
        message = {"selector": "area_", "slots": {"width": value}, "args": [], "kwargs": {}, "examples": []}
        [turn] = await run(jail, "_construct_architectural_covenant_prompt", message, "narrow", [])
        assert f"# slots: width = {repr(value)[:60]}…\n" in turn["content"]


ORDER = {
    "selector": "total_",
    "parameters": ["rate"],
    "slots": {"lines": [{"quantity": 2, "price": 3}], "owner": FRIEND},
    "args": [2],
    "kwargs": {},
    "intent": "The sum over all lines.",
    "examples": [{"slots": {"lines": []}, "args": [1], "kwargs": {}, "returns": 0, "slots_after": {}}],
    "names": [[FRIEND, "anna"]],
    "selectors": [{"selector": "tax_", "parameters": ["of"], "intent": "What is owed"}],
    "objects": [
        {
            "name": "anna",
            "slots": {"age": 30},
            "selectors": [{"selector": "greet_", "parameters": [], "intent": ""}],
        }
    ],
}


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("form", ["open", "free"])
async def test_a_request_shows_the_object_what_it_refers_to_and_what_is_wanted(jail, form, number):
    asked, begun = await run(jail, "_construct_architectural_covenant_prompt", ORDER, form, [], number)
    assert (asked["role"], begun["role"]) == ("user", "assistant")
    assert begun["content"].startswith("```python\ndef total_(self, rate):\n")
    for part in (
        "What it is for: The sum over all lines.",
        "self.lines = [{'quantity': 2, 'price': 3}]",
        "self.owner = @anna",
        "self.tax_(of)  # What is owed",
        "@anna is an object with the attributes age and the methods greet_()",
    ):
        assert part in asked["content"]
    example = "- with self.lines = [], self.total_(1) returns 0 and changes no attribute\n"
    assert [example in turn["content"] + "\n" for turn in (asked, begun)] == [number > 0, number == 0]
    assert ("changes no attribute and no argument" in asked["content"]) == (number != 1)


async def test_what_begins_an_answer_cannot_end_its_own_text(jail):
    message = {**ORDER, "intent": 'Ends """ here\\\n\n    return 7 ' + "x" * 1000}
    _, begun = await run(jail, "_construct_architectural_covenant_prompt", message, "open", [])
    method = begun["content"].removeprefix("```python\n") + "    return rate\n"
    assert (begun["content"].count('"""'), len(begun["content"]) < 600) == (2, True)
    assert len(ast.parse(method).body[0].body) == 2


async def test_a_request_tells_what_changes_must_end_with_and_what_failed(jail):
    example = {**ORDER["examples"][0], "slots_after": {"lines": [1]}}
    failed = [{"source": f"def total_(self):\n    return {n}\n", "problem": f"it is no {n}"} for n in range(3)]
    asked, begun = await run(
        jail, "_construct_architectural_covenant_prompt", {**ORDER, "examples": [example]}, "open", failed
    )
    assert "returns 0 and changes self.lines to [1]" in begun["content"]
    assert "`self._p_changed = True`" in asked["content"]
    assert ["it is no 0" in asked["content"], "return 2\n```\nBecause: it is no 2" in asked["content"]] == [False, True]


@pytest.mark.parametrize(
    ("form", "text", "source"),
    [
        ("narrow", "def total_(self):\n    return 1\n", "def total_(self):\n    return 1\n"),
        ("open", "    return rate\n```", "def total_(self, rate):\n    return rate\n"),
        ("open", "    return rate\n", "def total_(self, rate):\n    return rate\n"),
        ("free", "    import math\n    return rate\n```\nThat is all.", "def total_(self, rate):\n    return rate\n"),
        ("free", "def total_(self, of):\n    return of\n```", "def total_(self, of):\n    return of\n"),
        ("free", "Sure! Here is it.", "def total_(self, rate):\nSure! Here is it.\n"),
    ],
)
async def test_a_drawn_text_becomes_a_method(jail, form, text, source):
    assert await run(jail, "source_of_", form, text, ORDER) == source
