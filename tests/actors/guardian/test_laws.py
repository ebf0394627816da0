"""Three laws, by random methods: an accepted method never breaches the covenant in a run; any prefix of a run, replayed,
makes the same sends; and what a method sees at its end, its sends having changed the slots, is what is kept.
"""

from __future__ import annotations

import ast
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.guardian import gates
from protocol.codec import Ref
from protocol.messages import Answer, Done, Effect, Failed, Run

ME = Ref("00000000000000aa")
SLOTS: dict[str, Any] = {"n": 1, "items": [1, 2], "table": {"k": [0]}}
SIGNAL = "self._p_changed = True"

CHANGES = [
    "self.n = 2",
    "self.n += 1",
    "self.items.append(a)",
    "self.items = x",
    "self.items += [a]",
    "self.table['k'] = x",
    "self.table.setdefault('z', []).append(1)",
    "self.table['k'].append(x)",
    "del self.items[:1]",
    "x.append(3)",
    "y.append(4)",
    "x += [5]",
    "put(6)",
    "[put(z) for z in (1, 2)]",
    "[z.append(7) for z in [x, y] if a]",
    "self.m, self.n = 1, 2",
    "(x if a else y).append(8)",
    "list(map(x.append, [1]))",
    "x[:] = [len(y)]",
    "self.table.update(k=x)",
]
READS = [
    "x = self.items",
    "y = self.items",
    "x = self.table['k']",
    "x = [self.items]",
    "x = list(self.items)",
    "x, y = y, x",
    "y = x",
    "x = [y]",
    "y = x[0] if x and isinstance(x[0], list) else y",
    "push = lambda z: x.append(z)",
    "x = self.items[:]",
    "y = self.table.get('k', [])",
    "x = []",
    "pass",
]
SENDS = ["x = self.ask_(a)", "self.tell_(self.n, x)", "y = self.ask_(len(self.items))"]


def blocks(simple: list[str], depth: int = 2) -> st.SearchStrategy[list[str]]:
    line = st.sampled_from(simple).map(lambda text: [text])
    if depth == 0:
        return st.lists(line, min_size=1, max_size=3).map(_flat)
    inner = blocks(simple, depth - 1).map(_indented)
    compound = st.one_of(
        st.builds(lambda one: ["if a:", *one], inner),
        st.builds(lambda one, two: ["if a:", *one, "else:", *two], inner, inner),
        st.builds(lambda one: ["for i in range(a):", *one], inner),
        st.builds(lambda one: ["for i in range(a + 1):", *one, "    break"], inner),
        st.builds(lambda one: ["for i in range(a + 1):", "    if i:", "        continue", *one], inner),
        st.builds(lambda one, two: ["try:", *one, "except Exception:", *two], inner, inner),
        st.builds(lambda one, two: ["try:", *one, "    x = y[9]", "except IndexError:", *two], inner, inner),
        st.builds(lambda one, two: ["try:", *one, "finally:", *two], inner, inner),
        st.builds(
            lambda one, two: ["match a:", "    case 0:", *_indented(one), "    case _:", *_indented(two)], inner, inner
        ),
        st.builds(lambda one: ["def put(z):", *one], inner),
        st.just(["return x"]),
    )
    return st.lists(st.one_of(line, line, line, compound), min_size=1, max_size=5).map(_flat)


def _flat(parts: list[list[str]]) -> list[str]:
    return [line for part in parts for line in part]


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def source_of(lines: list[str]) -> str:
    start = ["x = []", "y = []", "put = lambda z: self.items.append(z)"]
    return "def m_(self, a):\n" + "".join(f"    {line}\n" for line in [*start, *lines])


QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.filter_too_much, HealthCheck.too_slow]}


@settings(max_examples=150, **QUIET)
@given(lines=blocks([*CHANGES, *READS, *[SIGNAL] * 12]), a=st.integers(0, 2))
def test_what_is_accepted_never_breaches(within, lines: list[str], a: int):
    source = source_of(lines)
    ast.parse(source)
    if not gates.judge(source).accepted:
        return
    outcome = within(Run(source=source, receiver=ME, slots=SLOTS, args=[a]))
    assert not isinstance(outcome, Failed) or outcome.code != "COVENANT_BREACH", source


@settings(max_examples=25, **QUIET)
@given(
    lines=blocks([*SENDS, *SENDS, *CHANGES[:4], *READS[:6], SIGNAL]),
    replies=st.lists(st.sampled_from([1, [1], {"k": [2]}, None]), min_size=6, max_size=6),
    changed=st.lists(st.sampled_from([{}, {"n": 9}, {"items": [7]}]), min_size=6, max_size=6),
)
def test_any_prefix_replayed_sends_the_same(within, lines: list[str], replies: list[Any], changed: list[Any]):
    source = source_of(lines)
    answers: list[Answer] = []
    sends: list[Any] = []
    while len(answers) < 6:
        outcome = within(Run(source=source, receiver=ME, slots=SLOTS, args=[1], answers=answers))
        if not isinstance(outcome, Effect):
            break
        sends.append((outcome.n, outcome.send, outcome.changed))
        n = len(answers)
        answers.append(Answer(digest=outcome.digest, value=replies[n], changed=changed[n]))
    for n in range(len(sends)):
        again = within(Run(source=source, receiver=ME, slots=SLOTS, args=[1], answers=answers[:n]))
        assert (again.n, again.send, again.changed) == sends[n]
    assert isinstance(outcome, (Done, Effect, Failed))
    assert not isinstance(outcome, Failed) or outcome.code != "REPLAY_DIVERGED"


ANSWERED = [
    *[{}, {"n": 9}, {"items": [7]}, {"items": [1, 2, [3]]}, {"items": {}}],
    *[{"table": {"k": [0, 1]}}, {"table": {"m": [], "k": [0]}}, {"table": {}, "items": [[0], [0]]}, {"x": [1]}],
]


@settings(max_examples=60, **QUIET)
@given(
    lines=blocks([*SENDS, *SENDS, *CHANGES, *READS, SIGNAL]),
    changed=st.lists(st.sampled_from(ANSWERED), min_size=6, max_size=6),
    a=st.integers(0, 2),
)
def test_what_a_method_sees_at_its_end_is_what_is_kept(within, lines: list[str], changed: list[Any], a: int):
    source = source_of([*lines, SIGNAL, "return ['end', self.n, self.items, self.table]"])
    answers: list[Answer] = []
    kept = dict(SLOTS)
    while True:
        outcome = within(Run(source=source, receiver=ME, slots=SLOTS, args=[a], answers=answers))
        if not isinstance(outcome, Effect) or len(answers) == len(changed):
            break
        kept |= changed[len(answers)]
        answers.append(Answer(digest=outcome.digest, value=outcome.send.args, changed=changed[len(answers)]))
    if isinstance(outcome, Done) and isinstance(outcome.result, list) and outcome.result[:1] == ["end"]:
        kept |= outcome.changed
        assert outcome.result[1:] == [kept["n"], kept["items"], kept["table"]], source
