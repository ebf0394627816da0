"""The placement that ships for the embedded model is what its placement would find: its first message costs nothing more."""

from __future__ import annotations

import asyncio

import pytest

from actors.guardian.jail.jail import Jail
from actors.inference.model import incarnation
from protocol import codec
from protocol.codec import Ref
from protocol.messages import Example, Row, Sampling, Trial, Turn
from world import awakening, placements


class SendFailed(Exception):  # noqa: N818 - a method's own name for it
    """What a method may catch of its sends."""


class Cycle:
    """A context with the image's methods, whose texts the embedded model writes and whose candidates the jail tries."""

    def __init__(self, engine, ask):
        self.message = {"form": "auto", "form_tokens": 400}
        self.engine, self.ask = engine, ask

    def send_all_(self, sends):
        return [getattr(receiver, selector)(*args, **kwargs) for receiver, selector, args, kwargs in sends]

    def infer_(self, query, *, grammar, n, sampling, max_tokens, scored, drawing):
        assert (n, scored, drawing) == (1, True, {"round": 0, "form": "open"})
        turns = [Turn(**turn) for turn in query]
        row = Row(turns=turns, grammar=grammar, sampling=Sampling(**sampling), max_tokens=max_tokens, scored=True)
        made = self.engine.generate([row]).rows[0]
        return [{"text": made.text, "logprob": made.logprob, "tokens": made.tokens}] if made.finish == "stop" else []

    def try_(self, source, message):
        examples = [codec.convert(example, Example) for example in message["examples"]]
        trial = Trial(source=source, receiver=Ref("0" * 16), slots=message["slots"], examples=examples, is_sent=False)
        tried = self.ask(trial)
        passed = tried.verdict == "accept" and all(case.passed for case in tried.cases)
        return "" if passed else "it does not do"


for method in awakening.image():
    if method.holder == "cycle_traits" and not hasattr(Cycle, method.selector):
        namespace: dict = {"SendFailed": SendFailed}
        exec(method.source, namespace)
        setattr(Cycle, method.selector, namespace[method.selector])


@pytest.fixture
async def jail():
    opened = Jail(workers=1)
    await opened.start()
    yield opened
    await opened.close()


@pytest.mark.model
async def test_the_shipped_placement_is_what_placing_finds(real, embedded, jail):
    loop = asyncio.get_running_loop()

    def ask(trial):
        return asyncio.run_coroutine_threadsafe(jail.run(trial), loop).result(60)

    digest = incarnation._digest(embedded, embedded)
    found = await asyncio.to_thread(Cycle(real, ask).find_placement_)
    assert len(found["tried"]) == 4
    assert found["form"] == placements.shipped()[digest]["form"], found
