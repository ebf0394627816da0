"""A method's run, by what it does in the jail: slots, sends, replays, values, bad ends."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.failure import Failure
from protocol.messages import Answer, Done, Effect, Failed, Run

ME = Ref("00000000000000aa")
OTHER = Ref("00000000000000bb")


@pytest.fixture
def do(within):
    def do(
        text: str, *args: Any, slots: dict[str, Any] | None = None, answers: list[Answer] | None = None, **more: Any
    ):
        source = textwrap.dedent(text)
        if not source.lstrip().startswith("def ") or "(self" not in source:
            source = "def m_(self, a=None, b=None):\n" + textwrap.indent(source.strip("\n"), "    ") + "\n"
        request = Run(source=source, receiver=ME, slots=slots or {}, args=list(args), answers=answers or [], **more)
        return within(request)

    return do


@pytest.fixture
def play(do):
    """Run to the end, answering each send by `reply`, which returns an `Answer` without its digest."""

    def play(text: str, reply, *args: Any, **more: Any):
        answers: list[Answer] = []
        effects: list[Effect] = []
        while True:
            outcome = do(text, *args, answers=answers, **more)
            if not isinstance(outcome, Effect):
                return outcome, effects
            assert outcome.n == len(answers)
            effects.append(outcome)
            made = reply(outcome)
            answers.append(
                Answer(
                    digest=outcome.digest,
                    value=made.get("value"),
                    changed=made.get("changed", {}),
                    removed=made.get("removed", []),
                    error=made.get("error"),
                )
            )

    return play


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


@pytest.mark.parametrize(
    "text",
    [
        "return str(lambda: 1)",
        "return f'{self}'",
        "return '%s' % (lambda: 1)",
        "return repr([self.x_])",
        "return '{}'.format(a)",
        "return format(iter([]))",
        "return str(map(str, []))",
        "s = '%s'\ns %= (lambda: 1)\nreturn s",
        "return type(a)",
        "return type(lambda: 1)",
        "return [].append.x",
        "return 'a'.encode('idna')",
        "return math.sqrt.x",
    ],
)
def test_no_text_shows_an_address_and_no_type_leaks(do, text: str):
    outcome = do(text, OTHER)
    assert isinstance(outcome, Failed)
    assert outcome.code == "METHOD_FAILED"
    assert outcome.error in {"TypeError", "AttributeError", "ValueError"}


@pytest.mark.parametrize(
    ("raising", "text"),
    [
        ("[].index(lambda: 0)", "<function m_.<locals>.<lambda>> is not in list"),
        ("[].index([self, {'k': len}])", "[<reference>, {'k': <built-in function len>}] is not in list"),
        ("[].index([].append)", "<built-in method append of list object> is not in list"),
        ("[].index(x for x in a)", "<generator object m_.<locals>.<genexpr>> is not in list"),
        ("[].index(self.area_)", "area_ is not in list"),
        ("self.area_(*5)", "area_ argument after * must be an iterable, not int"),
        ("self.area_(k=1, **{'k': 2})", "area_ got multiple values for keyword argument 'k'"),
        ("raise ValueError(lambda: 0)", "<function>"),
        ("raise ValueError(self, a)", "(<reference>, [])"),
        ("raise ValueError(ValueError(self))", "<reference>"),
        ("raise ValueError([ValueError(self), 'a'])", "[ValueError(<reference>), 'a']"),
        ("{}[lambda: 0]", "<function>"),
        ("{}[self]", "<reference>"),
        ("raise ValueError({'b', 'c', None, 'a', 1.5})", "{'a', 'b', 'c', 1.5, None}"),
        (
            "raise ValueError({1: frozenset({2}), 'a': frozenset(), 'b': set()})",
            "{1: frozenset({2}), 'a': frozenset(), 'b': set()}",
        ),
        ("raise ValueError(math, str, range(2), ...)", "(<MathModule>, <TextType>, range(0, 2), Ellipsis)"),
        ("raise ValueError(10 ** 5000)", "<an integer of 16610 bits>"),
        ("raise ValueError(10 ** 50000, 2)", "(<an integer of 166097 bits>, 2)"),
        ("raise ValueError('plain', 2, [True, None])", "('plain', 2, [True, None])"),
        ("raise ValueError", ""),
        ("raise KeyError('k')", "'k'"),
        ("b'\\xff'.decode()", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        ("int('x')", "invalid literal for int() with base 10: 'x'"),
    ],
)
def test_an_exception_has_the_same_text_in_every_run(do, raising: str, text: str):
    source = "try:\n    {}\nexcept Exception as e:\n    return [str(e), f'{{e}}', '%s' % e, '%s' % (e,), format(e), '{{}}'.format(e)]"
    assert do(source.format(raising), []) == Done(result=[text] * 6)
    # Where it is not caught, it is said in the same words.
    outcome = do(raising, [])
    is_key = "KeyError('k')" in raising
    assert (outcome.code, outcome.message, outcome.line) == ("METHOD_FAILED", "k" if is_key else text, 2)


def test_what_holds_an_exception_has_a_text_too(do):
    text = """
        found = []
        for raising in (lambda: [].index(len), lambda: {}[self], lambda: 1 / 0):
            try:
                raising()
            except Exception as e:
                found.append(e)
        return [str(found), repr(found[1]), f'{found[0]!r}', '%r' % ({'k': found[2]},), str({1: found[2]}), found[0].args]
    """
    assert do(text).result == [
        "[ValueError('<built-in function len> is not in list'), KeyError(<reference>), ZeroDivisionError('division by zero')]",
        "KeyError(<reference>)",
        "ValueError('<built-in function len> is not in list')",
        "{'k': ZeroDivisionError('division by zero')}",
        "{1: ZeroDivisionError('division by zero')}",
        ["<built-in function len> is not in list"],
    ]


def test_the_text_of_a_set_does_not_tell_how_it_was_made(do):
    text = "return [str({'b', 'a', None}), f'{frozenset([3, 2])}', '%s' % [{2, 1}], str(set()), '%(k)s' % {'k': {'y', 'x'}}]"
    assert do(text).result == ["{'a', 'b', None}", "frozenset({2, 3})", "[{1, 2}]", "set()", "{'x', 'y'}"]


@pytest.mark.parametrize(
    ("raising", "line"),
    [
        ("raise ValueError(10 ** 5000)", 2),
        ("{}[10 ** 50000]", 2),
        ("x = 10 ** 5000\nassert x < 5, x", 3),
        ("v = []\nfor _ in range(990):\n    v = [v]\nraise ValueError(v)", 5),
        ("v = []\nv.append(v)\nraise KeyError(v, {1: v})", 4),
        ("v = []\nfor _ in range(99):\n    v = [v, v]\nraise ValueError(v)", 5),
        ("e = KeyError(self)\nfor _ in range(990):\n    e = ValueError(e)\nraise e", 5),
        ("e = 1\nfor _ in range(990):\n    e = ValueError(e, 1)\nraise e", 5),
        ("raise ValueError('x' * 10 ** 6, ['y'] * 10 ** 6)", 2),
        ("raise ValueError(b'x' * 10 ** 6)", 2),
        ("raise ValueError(chr(0xD800))", 2),
        ("return str(10 ** 50000)", 2),
    ],
)
def test_whatever_is_raised_can_be_told_and_caught(do, play, raising: str, line: int):
    outcome = do(raising)
    assert (outcome.code, outcome.line) == ("METHOD_FAILED", line)
    assert len(outcome.message) <= 500
    # A sender meets what was said as the failure of its send.
    caught, _ = play(
        "try:\n    self.ask_()\nexcept SendFailed as e:\n    return str(e)",
        lambda _: {"error": Failure(outcome.code, outcome.message)},
    )
    assert caught.result == outcome.message


@pytest.mark.parametrize("text", ["1 << 60000", "[-(1 << 60000)]", "{'n': 10 ** 5000, 1 << 60: {2: 10 ** 5000}}"])
def test_a_long_integer_is_a_value_with_a_text(do, text: str):
    value = eval(text)
    assert do(f"return {text}") == Done(result=value)
    assert do(f"return str({text})") == Done(result=str(value))
    assert do(f"self.x = {text}\nself._p_changed = True\nself.ask_(self.x)").send.args == [value]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("return 1 << 70000", "BAD_VALUE"),
        ("return {1 << 70000: 1}", "BAD_VALUE"),
        ("return {1 << 70: {1, 2}}", "BAD_VALUE"),
        ("return {10 ** 5000: 1}", "BAD_VALUE"),
        ("return {'k' * 10 ** 5: {1}}", "BAD_VALUE"),
        ("return [1 << 60000] * 10 ** 6", "TOO_LARGE"),
        ("x = 'x' * 1000\nfor _ in range(9):\n    x = [x] * 1000\nreturn x", "TOO_LARGE"),
        ("x = {}\nfor _ in range(99):\n    x = {'a': x, 'b': x}\nreturn x", "TOO_LARGE"),
        ("x = ()\nfor _ in range(990):\n    x = (x,)\nreturn x", "BAD_VALUE"),
        ("self.x = [1 << 60000] * 10 ** 6\nself._p_changed = True", "TOO_LARGE"),
        ("self.ask_([1 << 60000] * 10 ** 6)", "TOO_LARGE"),
        ("return chr(0xD800)", "BAD_VALUE"),
        ("return {chr(0xDFFF): 1}", "BAD_VALUE"),
    ],
)
def test_what_cannot_leave_is_refused_by_name(do, text: str, code: str):
    outcome = do(text)
    assert (type(outcome), outcome.code) == (Failed, code)
    assert len(outcome.message) <= 200


@pytest.mark.parametrize("where", ["slots", "args", "answers"])
def test_nine_megabytes_are_refused_by_name_before_a_child_is_asked(do, where: str):
    megabyte = "x" * 1_000_000
    more: dict[str, Any] = {"slots": {f"x{n}": megabyte for n in range(9)}} if where == "slots" else {}
    if where == "answers":
        more = {"answers": [Answer(digest="", value=megabyte)] * 9}
    with pytest.raises(BatosError, match="over the limit") as caught:
        do("def m_(self, *x):\n    return len(x)\n", *[megabyte] * 9 * (where == "args"), **more)
    assert caught.value.code == "TOO_LARGE"


def test_an_item_takes_no_text_into_its_list(do):
    """`a[i] += b` is `a += b` for an item: what it is of is evaluated once."""
    outcome = do("t = {'k': [1]}\nt['k'] += 'ab'\nreturn t")
    assert isinstance(outcome, Failed)
    assert outcome.error == "TypeError"
    text = "calls = []\nt = [[1], 5]\ndef at(n):\n    calls.append(n)\n    return n\nt[at(0)] += [2]\nt[at(1)] += at(3)\nreturn [t, calls]"
    assert do(text) == Done(result=[[[1, 2], 8], [0, 1, 3]])
