"""The amnesia oracle: random methods that the covenant accepts, run on a stored object, forget nothing.

Two processes share the work; `bench.amnesia` says how it is done. `tests/slow` has the same with a million.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from actors.guardian.runtime import slots
from bench import amnesia
from bench.oracle.methods import Grammar

METHODS = 20_000
ROOT = Path(__file__).parents[4]


def oracle(methods: int, *seeds: int) -> list[dict]:
    """What the oracle saw, a process for each seed, at once."""
    command = [sys.executable, "-m", "bench.amnesia", "--json", "--methods", str(methods // len(seeds)), "--seed"]
    running = [subprocess.Popen([*command, str(seed)], cwd=ROOT, stdout=subprocess.PIPE) for seed in seeds]
    told = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0] * len(seeds)
    return [json.loads(line) for line in told]


def test_nothing_that_is_accepted_forgets():
    counts = oracle(METHODS, 1, 2)
    assert sum(count["methods"] for count in counts) == METHODS
    assert [source for count in counts for source in count["amnesic"]] == []
    assert [source for count in counts for source in count["silent"]] == []
    assert all(count["replaced"] > count["methods"] // 4 for count in counts)
    assert all(count["told"] > 0 for count in counts)
    # An oracle that sees no change, or no amnesia in what is refused, would be blind.
    assert all(count["changing"] > count["methods"] // 8 for count in counts)
    assert all(count["forgetful"] > count["rejected"] // 4 for count in counts)


@pytest.mark.parametrize(
    "body",
    [
        "self.n = 2",
        "self._p_changed = True\n    self.items.append(1)",
        "x = self.items\n    self._p_changed = True\n    x.append(1)",
        "self.table['k'].append(1)",
    ],
)
def test_the_oracle_sees_amnesia(monkeypatch: pytest.MonkeyPatch, body: str):
    """With the covenant out of the way, what forgets is found."""
    monkeypatch.setattr(amnesia.covenant, "check", lambda _: [])
    oracle = amnesia.Oracle(0)
    oracle.one(f"def m_(self, a, b, c):\n    {body}\n")
    assert len(oracle.count.amnesic) == 1


def test_a_stored_object_forgets_what_is_not_signalled(monkeypatch: pytest.MonkeyPatch):
    """The same on a real database alone: a plain list in a slot, changed in place."""
    monkeypatch.setattr(amnesia.covenant, "check", lambda _: [])
    all_of_it = property(lambda self: amnesia.text_of(amnesia.slots_of(self)))
    monkeypatch.setattr(amnesia.Unforgiving, "stored", all_of_it, raising=False)
    oracle = amnesia.Oracle(0)
    oracle.one("def m_(self, a, b, c):\n    self.items.append(1)\n")
    oracle.one("def m_(self, a, b, c):\n    self.items.append(1)\n    self._p_changed = True\n")
    assert oracle.run(0).amnesic == ["def m_(self, a, b, c):\n    self.items.append(1)\n"] * len(amnesia.ARGUMENTS)


LOOSE = """def m_(self, a, b, c):
    row, held = self.rows[0], [self.table['m']]
    self.ask_(a)
    row.append(9)
    held[0].clear()
    self._p_changed = True
"""


def test_the_oracle_sees_what_a_send_has_cut_loose(monkeypatch: pytest.MonkeyPatch):
    """By what becomes of lists and dicts: with the memory of what was replaced out of the way, the losses are silent."""
    oracle = amnesia.Oracle(0)
    for _ in range(20):
        oracle.one(LOOSE)
    assert oracle.count.silent == []
    assert 5 < oracle.count.told < oracle.count.replaced
    monkeypatch.setattr(slots.Slots, "lost", lambda _: None)
    blind = amnesia.Oracle(0)
    for _ in range(20):
        blind.one(LOOSE)
    assert (len(blind.count.silent), blind.count.told) == (oracle.count.told, 0)


def test_the_oracle_sees_what_a_run_does_not_hand_over(monkeypatch: pytest.MonkeyPatch):
    oracle = amnesia.Oracle(0)
    monkeypatch.setattr(slots.Slots, "changes", lambda *_: ({}, []))
    oracle.one("def m_(self, a, b, c):\n    self.ask_(a)\n    self.items.append(1)\n    self._p_changed = True\n")
    assert len(oracle.count.silent) == len(amnesia.ARGUMENTS)


def test_a_state_that_holds_itself_is_none_to_compare():
    oracle = amnesia.Oracle(0)
    oracle.one("def m_(self, a, b, c):\n    self.items.append(self.items)\n    self._p_changed = True\n")
    deep = "def m_(self, a, b, c):\n    for k in range(99):\n        self.items = [self.items]\n    self._p_changed = True\n"
    oracle.one(deep)
    assert (oracle.count.accepted, oracle.run(0).amnesic) == (2, [])


def test_the_grammar_draws_valid_methods():
    one, two = Grammar(Random(7)), Grammar(Random(7))
    drawn = [one.method() for _ in range(300)]
    assert drawn == [two.method() for _ in range(300)]
    for source in drawn:
        compile(source, "<method>", "exec")
    assert len(set(drawn)) > 290
