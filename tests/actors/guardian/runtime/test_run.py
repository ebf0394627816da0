"""A method's run, by what it does in the jail: slots, sends, replays, values, bad ends."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from protocol.codec import Ref
from protocol.failure import Failure
from protocol.messages import Answer, Done, Effect, Failed

ME = Ref("00000000000000aa")
OTHER = Ref("00000000000000bb")


def test_result_changes_and_signal(do):
    text = """
        self.count += by
        self.log.append(self.count)
        del self.old
        self._p_changed = True
        return {'count': self.count, 1: (2, 3)}
    """
    source = "def m_(self, *, by=1):\n" + textwrap.indent(textwrap.dedent(text).strip("\n"), "    ")
    outcome = do(source, slots={"count": 1, "log": [], "old": 0, "same": [1]}, kwargs={"by": 4})
    assert outcome == Done(
        result={"count": 5, 1: [2, 3]}, changed={"count": 5, "log": [5]}, removed=["old"], signalled=True
    )


def test_arguments_as_python_binds_them(do):
    source = "def total_(self, *rest, factor=1):\n    return sum(rest) * factor\n"
    assert do(source, 1, 2, 3, kwargs={"factor": 2}).result == 12
    missing = do("def m_(self, x):\n    return x\n")
    assert (missing.code, missing.error) == ("METHOD_FAILED", "TypeError")


def test_a_change_that_is_taken_back_is_none(do):
    assert do("self.x = 2\nself.x = 1\nreturn self.x", slots={"x": 1}) == Done(result=1)


def test_the_order_of_keys_is_part_of_a_slot(do):
    outcome = do("self.x = {'b': 1, 'a': 2}\nself._p_changed = True", slots={"x": {"a": 2, "b": 1}})
    assert list(outcome.changed["x"]) == ["b", "a"]


@pytest.mark.parametrize(
    "text",
    [
        "self.x = 2",
        "self._p_changed = True\nself.x = 2",
        "self.items.append(1)",
        "self._p_changed = True\nself.items.append(1)\nself.y = 1",
        "del self.x",
    ],
)
def test_amnesia_is_refused_at_run_time_too(do, text: str):
    outcome = do(text, slots={"x": 1, "items": []})
    assert isinstance(outcome, Failed)
    assert outcome.code == "COVENANT_BREACH"


def test_a_send_ends_the_run_inside_the_call(do):
    text = """
        self.x = 5
        try:
            return self.ask_(1, [a, self], key={'k': b'v'})
        except Exception:
            return 'swallowed'
        finally:
            self.x = 6
    """
    outcome = do(text, OTHER, slots={"x": 1, "y": 2})
    assert isinstance(outcome, Effect)
    assert (outcome.n, outcome.changed, outcome.removed) == (0, {"x": 5}, [])
    send = outcome.send
    assert (send.kind, send.receiver, send.selector) == ("send", ME, "ask_")
    assert (send.args, send.kwargs) == ([1, [OTHER, ME]], {"key": {"k": b"v"}})


def test_reads_and_sends_of_other_objects(play):
    text = "n = a.width\nself.total = n + a.area_(2)\nself._p_changed = True\nreturn a == self, a == b, len({a, b})"
    outcome, effects = play(text, lambda effect: {"value": 10 + effect.n}, OTHER, Ref(OTHER.oid))
    assert [(effect.send.kind, effect.send.selector, effect.send.args) for effect in effects] == [
        ("read", "width", []),
        ("send", "area_", [2]),
    ]
    assert outcome == Done(result=[False, True, 1], changed={"total": 21}, signalled=True)


def test_a_reference_to_the_receiver_in_a_value_is_an_ordinary_one(do):
    outcome = do("return [self.me == self, self.me.x]", slots={"me": Ref(ME.oid), "x": 1})
    assert isinstance(outcome, Effect)
    assert (outcome.send.kind, outcome.send.receiver) == ("read", ME)


def test_another_object_cannot_be_written(do):
    outcome = do("a.x = 1", OTHER)
    assert (outcome.code, outcome.error, outcome.line) == ("METHOD_FAILED", "TypeError", 2)


def test_what_an_answer_changed_is_not_the_methods_own(play):
    text = """
        mine = self.items
        self.grow_()
        mine.append(self.x)
        self._p_changed = True
        return self.x
    """
    reply = {"changed": {"x": 7, "items": [1]}, "removed": ["gone"]}
    outcome, _ = play(text, lambda _: reply, slots={"x": 1, "items": [], "gone": 0})
    assert outcome == Done(result=7, changed={"items": [1, 7]}, signalled=True)


def test_without_an_own_change_no_signal_is_owed_for_an_answer(play):
    outcome, _ = play(
        "self.grow_()\nreturn self.x", lambda _: {"changed": {"x": 2}, "removed": ["y"]}, slots={"x": 1, "y": 1}
    )
    assert outcome == Done(result=2)


def test_a_change_after_an_answers_change_is_owed_a_signal(play):
    text = "self.x = 2\nself._p_changed = True\nself.grow_()\nself.x = 2"
    outcome, _ = play(text, lambda _: {"changed": {"x": 3}}, slots={"x": 1})
    assert outcome.code == "COVENANT_BREACH"


def test_a_failed_send_can_be_caught(play):
    text = """
        try:
            self.ask_()
        except SendFailed as problem:
            return [problem.code, problem.message, str(problem)]
    """
    outcome, _ = play(text, lambda _: {"error": Failure("TIMEOUT", "too late")})
    assert outcome.result == ["TIMEOUT", "too late", "too late"]
    outcome, _ = play(
        "try:\n    self.ask_()\nexcept Exception:\n    return 'caught'", lambda _: {"error": Failure("X", "y")}
    )
    assert outcome.result == "caught"
    outcome, _ = play("self.ask_()", lambda _: {"error": Failure("X", "why")})
    assert (outcome.code, outcome.error, outcome.message, outcome.line) == ("METHOD_FAILED", "SendFailed", "why", 2)


def test_a_replay_that_sends_otherwise_diverges(do):
    first = do("return self.one_(a)", 1)
    assert do("return self.one_(a)", 1, answers=[Answer(digest=first.digest, value=9)]) == Done(result=9)
    for text in ("return self.one_(2)", "return self.two_(a)", "return a", "return self.one_(a) + 1 / 0"):
        answers = [Answer(digest=first.digest)] * 2 if "/" in text else [Answer(digest=first.digest)]
        assert do(text, 1, answers=answers).code == "REPLAY_DIVERGED"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("return {1, 2}", "set"),
        ("return lambda: 1", "function"),
        ("return self.x_", "_Message"),
        ("self.send_(range(3))", "range"),
        ("self.x = {1}\nself._p_changed = True", "set"),
        ("self.x = {1}\nself.send_()", "set"),
        ("return math.inf", "BAD_VALUE"),
        ("return {1.5: 1}", "BAD_VALUE"),
        ("x = []\nx.append(x)\nreturn x", "BAD_VALUE"),
    ],
)
def test_what_is_no_value_does_not_cross(do, text: str, kind: str):
    outcome = do(text)
    assert (outcome.code, outcome.error) == ("BAD_VALUE", kind) or outcome.code == "TOO_LARGE"


def test_what_a_method_raises(do):
    outcome = do("x = 1\nraise ValueError('no ' + 'x' * 2000)")
    assert (outcome.code, outcome.error, outcome.line) == ("METHOD_FAILED", "ValueError", 3)
    assert len(outcome.message) == 500
    assert do("return self.nothing").message == "the object has no slot 'nothing'"
    assert do("return {}['k']").message == "k"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("x = 'a' * (10 ** 10)", "LIMIT_MEMORY"),
        ("def f(n):\n    return f(n + 1)\nf(0)", "LIMIT_RECURSION"),
        ("while True:\n    pass", "LIMIT_TIME"),
    ],
)
@pytest.mark.parametrize("around", ["{}", "try:\n{}\nexcept:\n    return 1", "try:\n{}\nfinally:\n    return 1"])
def test_exhaustion_never_reaches_a_handler(do, text: str, limit: str, around: str):
    body = around.format(textwrap.indent(text, "    ") if around != "{}" else text)
    outcome = do(body, seconds=0.2)
    assert (outcome.code, outcome.error) == ("BUDGET_EXCEEDED", limit)


def test_refused_source_does_not_run(do):
    outcome = do("import os\nreturn os")
    assert (outcome.code, outcome.error, outcome.line) == ("REFUSED", "POL002", 2)


def test_the_kernels_method(do):
    source = """
        def _process_synthesis_(self):
            data = self._tmp_synthesis_data
            data['a'] = 1
            self._tmp_synthesis_data = data
            self._p_changed = True
            self.become_('COMPLETE')
    """
    slots = {"_tmp_synthesis_data": {}}
    effect = do(source, slots=slots, kernel=True)
    assert effect.changed == {"_tmp_synthesis_data": {"a": 1}}
    done = do(source, slots=slots, kernel=True, answers=[Answer(digest=effect.digest)])
    assert done == Done(changed={"_tmp_synthesis_data": {"a": 1}}, signalled=True)
    assert do(source, slots=slots).code == "REFUSED"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("a, b = c = (1, 2)\nreturn [a, b, c]", [1, 2, [1, 2]]),
        ("x: int = 5\ny: list\nx += 1\nreturn x", 6),
        ("t = {'k': [1]}\nt['k'] += [2]\nt['k'][0] *= 5\nreturn t", {"k": [5, 2]}),
        (
            "return [str(1), str([1, 'a']), repr({'k': None}), f'{3!r:>4}', '%s-%d' % ('a', 2)]",
            ["1", "[1, 'a']", "{'k': None}", "   3", "a-2"],
        ),
        ("return '{} {1}'.format(1, 2) if False else '{0} {x:.1f}'.format(1, x=2.0)", "1 2.0"),
        ("return list(map(str.upper, ['a'])) + sorted(['b', 'A'], key=str.lower)", ["A", "A", "b"]),
        ("return [isinstance('a', str), isinstance(1, (str, int)), type('a') == str, type(1) is int]", [True] * 4),
        ("match ['k', {'n': 1.5}]:\n    case [str() as k, {'n': float(n)}]:\n        return [k, n]", ["k", 1.5]),
        ("return [math.floor(2.5), math.gcd(4, 6), round(math.pi, 2)]", [2, 2, 3.14]),
        ("return getattr(self, 'no', 7) if not hasattr(self, 'no') else 0", 7),
        (
            "def f(*xs, k=1, **more):\n    return [xs, k, more]\nreturn f(*[1, 2], **{'k': 3, 'z': 4})",
            [[1, 2], 3, {"z": 4}],
        ),
        ("return 'ä'.encode().decode('utf-8') + b'a'.decode('ascii')", "äa"),
        ("n = 7\nn %= 4\ns = '%s'\ns %= 1\nreturn [n, s]", [3, "1"]),
        ("return [y := 3, y]", [3, 3]),
        ("try:\n    raise KeyError('k')\nexcept KeyError as e:\n    return [e.args[0], str(e)]", ["k", "'k'"]),
        ("return dict.fromkeys('ab', 0) | {'c': sum([1, 2])}", {"a": 0, "b": 0, "c": 3}),
    ],
)
def test_ordinary_python_does_what_python_does(do, text: str, result: Any):
    assert do(text) == Done(result=result)


def test_an_item_takes_no_text_into_its_list_and_a_field_repeats_none(do):
    """`a[i] += b` is `a += b` for an item: what it is of is evaluated once. `a["k"] *= b` is a product of numbers."""
    outcome = do("t = {'k': [1]}\nt['k'] += 'ab'\nreturn t")
    assert isinstance(outcome, Failed)
    assert outcome.error == "TypeError"
    outcome = do("t = {'k': [1]}\nt['k'] *= 2\nreturn t")
    assert isinstance(outcome, Failed)
    assert outcome.error == "TypeError"
    assert do("t = {'k': 2, 'n': [3]}\nt['k'] *= 3\nt['n'][0] *= 2\nreturn t") == Done(result={"k": 6, "n": [6]})
    text = "calls = []\nt = [[1], 5]\ndef at(n):\n    calls.append(n)\n    return n\nt[at(0)] += [2]\nt[at(1)] += at(3)\nreturn [t, calls]"
    assert do(text) == Done(result=[[[1, 2], 8], [0, 1, 3]])
