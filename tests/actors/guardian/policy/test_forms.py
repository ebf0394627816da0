from __future__ import annotations

import ast

import pytest

from actors.guardian.policy import forms


def statement(text: str) -> ast.stmt:
    return ast.parse(text).body[0]


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("self._p_changed = True", True),
        ("self._p_changed = 1", False),
        ("self._p_changed = a = True", False),
        ("a._p_changed = True", False),
        ("self._p_changed += True", False),
        ("self.changed = True", False),
    ],
)
def test_the_signal_is_one_statement(text: str, expected: bool):
    assert forms.is_signal(statement(text)) is expected


@pytest.mark.parametrize(
    ("template", "plain"),
    [("{} {:.2f} {name}", True), ("{{", True), ("{0.x}", False), ("{a[0]}", False), ("{:{}}", False), ("{", False)],
)
def test_a_plain_format_reaches_into_nothing(template: str, plain: bool):
    assert forms.plain_format(template) is plain
    assert forms.is_plain(expression(f"{template!r}.format(a)")) is plain


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("getattr(a, 'x')", "x"),
        ("hasattr(a, 'x', *b)", "x"),
        ("getattr(a, b)", None),
        ("getattr(a)", None),
        ("getattr(a, 'a b')", None),
        ("getattr(a, 'ﬁ')", None),
        ("len(a, 'x')", None),
        ("a.getattr(a, 'x')", None),
    ],
)
def test_an_attribute_is_named_on_the_page(text: str, name: str | None):
    call = expression(text)
    assert isinstance(call, ast.Call)
    assert forms.literal_name(call) == name
    assert forms.is_plain(call) is (name is not None)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("def m_(self, a): pass", True),
        ("def m_(self, /): pass", True),
        ("def m_(a): pass", False),
        ("def m_(*self): pass", False),
        ("def m_(): pass", False),
    ],
)
def test_the_receiver_is_the_first_parameter(text: str, named: bool):
    function = statement(text)
    assert isinstance(function, ast.FunctionDef)
    assert (forms.receiver(function) is not None) is named


def test_annotations_are_found_where_they_stand():
    found = [
        ast.unparse(note)
        for node in ast.walk(ast.parse("def m_(self: A, *b: B) -> C:\n    x: D = 1"))
        for note in forms.notes(node)
    ]
    assert sorted(found) == ["A", "B", "C", "D"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x = [y for z in a]", {"x", "z"}),
        ("del x", {"x"}),
        ("import a.b, c as d", {"a", "d"}),
        ("try:\n    pass\nexcept E as e:\n    pass", {"e"}),
        ("match a:\n    case [b, *c] | {'k': d, **e} | (f as g):\n        pass", {"b", "c", "d", "e", "f", "g"}),
        ("def f(x, *y, **z): pass", {"f", "x", "y", "z"}),
        ("a.b = c[d]", set()),
    ],
)
def test_what_a_node_binds(text: str, names: set[str]):
    assert {name for node in ast.walk(ast.parse(text)) for name in forms.bound(node)} == names
