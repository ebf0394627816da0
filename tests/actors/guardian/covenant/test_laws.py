"""Four laws, by random methods: an accepted method never breaches the covenant in a run; any prefix of a run, replayed,
makes the same sends; what a method sees at its end, its sends having changed the slots, is what is kept; and a run whose
child is kept comes to the same bytes as one that is replayed, wherever it is lost.
"""

from __future__ import annotations

import ast
from functools import partial
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.guardian import gates
from protocol import codec
from protocol.codec import Ref
from protocol.failure import Failure
from protocol.messages import Answer, Done, Effect, Failed, Ran, Resume, Run

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


MOST = 5
ENDS = [
    "return [x, y, self.n]",
    "raise ValueError(x)",
    "return {1}",
    "return y[9]",
    "return self.nothing",
    "while True: x = [x, x, x]",
]
AROUND = [
    "{send}",
    "try:\n    {send}\nexcept SendFailed as problem:\n    x = [problem.code]",
    "try:\n    {send}\nexcept Exception:\n    self.n = 'caught'",
    "try:\n    {send}\nfinally:\n    self.items.append(a)",
    "for i in range(2):\n    {send}",
    "self.n = [self.ask_(i) for i in range(2)]",
    "{signal}\n{send}\n{signal}",
    "y = self.items\n{send}\ny.append(self.n)\n{signal}",
    "put = lambda: self.ask_(self.n)\nx = [put(), put()]",
]


def sending() -> st.SearchStrategy[list[str]]:
    """Lines that send, with changes and signals before, between and after."""
    around = st.builds(
        lambda text, send: text.format(send=send, signal=SIGNAL).split("\n"),
        st.sampled_from(AROUND),
        st.sampled_from(SENDS),
    )
    plain = st.sampled_from([*CHANGES[:10], *READS[:6], SIGNAL, SIGNAL]).map(lambda line: [line])
    return st.lists(st.one_of(around, around, plain), min_size=2, max_size=7).map(_flat)


def answers() -> st.SearchStrategy[list[dict[str, Any]]]:
    """What comes of each send: a value and what it did to the receiver, or a failure; now and then one of another send."""
    done = st.fixed_dictionaries(
        {"value": st.sampled_from([1, [1], {"k": [2]}, None, "text", ME, 1 << 80, 0.5])},
        optional={
            "changed": st.sampled_from([{"n": 9}, {"items": [7]}, {"items": [], "table": {}}, {"new": [1]}]),
            "removed": st.sampled_from([["n"], ["items", "table"]]),
        },
    )
    failed = st.just({"error": Failure("METHOD_FAILED", "no")})
    replies = st.lists(st.one_of(*[done] * 6, failed), min_size=MOST, max_size=MOST)
    wrong = {"digest": "of another send"}
    return st.builds(
        lambda made, at: [wrong if n == at else one for n, one in enumerate(made)], replies, st.integers(0, 3 * MOST)
    )


def story(source: str, replies: list[dict[str, Any]], go_on: Any) -> list[bytes]:
    """The outcomes of a run, packed, up to its end; `go_on` has it from one to the next."""
    known: list[Answer] = []
    told: list[bytes] = []
    ran: Ran | None = None
    while True:
        run = Run(source=source, receiver=ME, slots=SLOTS, args=[1], answers=list(known), suspend=True, seconds=0.3)
        ran = go_on(run, ran)
        told.append(codec.pack(ran.outcome))
        if not isinstance(ran.outcome, Effect) or len(known) == MOST:
            return told
        known.append(Answer(**{"digest": ran.outcome.digest, **replies[len(known)]}))


@settings(max_examples=50, **QUIET)
@given(lines=sending(), end=st.sampled_from([*ENDS[:-1], *ENDS]), replies=answers())
def test_a_kept_run_comes_to_the_same_bytes_as_a_replayed_one_wherever_it_is_lost(
    jail, lines: list[str], end: str, replies: list[dict[str, Any]]
):
    place, loop = jail
    source = source_of([*lines, end])
    gone: list[int] = []

    def begin(run: Run) -> Ran:
        return loop.run_until_complete(place.begin(run))

    def resume(run: Run, ran: Ran) -> Ran | None:
        return loop.run_until_complete(place.resume(Resume(suspended=ran.suspended, answer=run.answers[-1]))).ran

    def replayed(run: Run, _: Ran | None) -> Ran:
        return begin(msgspec.structs.replace(run, suspend=False))

    def kept(run: Run, ran: Ran | None, lost: int = -1) -> Ran:
        if ran is None:
            return begin(run)
        assert ran.suspended
        if len(run.answers) - 1 == lost:
            place._suspended.clear()
        resumed = resume(run, ran)
        gone.append(len(run.answers) - 1) if resumed is None else None
        return resumed or begin(run)

    want = story(source, replies, replayed)
    assert story(source, replies, kept) == want
    # What ends by a limit is left to a replay; all else goes on.
    assert gone == [] or b"LIMIT_" in want[-1]
    for lost in range(len(want) - 1):
        gone.clear()
        assert story(source, replies, partial(kept, lost=lost)) == want
        assert lost in gone
    place._suspended.clear()
