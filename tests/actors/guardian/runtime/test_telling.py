"""What a method returns and raises is told: the same text in every run, without an address, whatever its size."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.failure import Failure
from protocol.messages import Answer, Done, Failed

ME = Ref("00000000000000aa")
OTHER = Ref("00000000000000bb")


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
