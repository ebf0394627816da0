# ruff: noqa: RUF001 - characters that look like others are the matter of some

from __future__ import annotations

import pytest

from actors.guardian import gates
from actors.guardian.policy import bounds
from protocol.messages import Judge

BODY = "def m_(self):\n    "
NOT_PYTHON: dict[str, str] = {
    "no colon": "def m_(self)\n    return 1\n",
    "an indent too many": f"{BODY}x = 1\n      y = 2\n",
    "an indent too few": "def m_(self):\nreturn 1\n",
    "no block to come back to": f"{BODY}if 1:\n        x = 1\n      y = 2\n",
    "tabs and spaces": "def m_(self):\n\tif 1:\n        pass\n",
    "an open text": f"{BODY}return 'a\n",
    "an open long text": f"{BODY}return '''a\n",
    "an open bracket": f"{BODY}return (1\n",
    "a wrong escape": f"{BODY}return '\\N{{no such}}'\n",
    "an octal of old": f"{BODY}return 0777\n",
    "a character from nowhere": f"{BODY}return 1 × 2\n",
    "a call as a target": f"{BODY}f() = 1\n",
    "a line that goes on nowhere": f"{BODY}x = \\\n",
    "an argument twice": "def m_(self, a, a):\n    pass\n",
    "a return outside": "return 1\n",
    "a break outside": f"{BODY}break\n",
    "nonlocal of nothing": f"{BODY}nonlocal x\n",
    "global too late": f"{BODY}x = 1\n    global x\n",
    "await outside": f"{BODY}await self.x_()\n",
    "a star alone": f"{BODY}return *self\n",
    "two captures": f"{BODY}match self.x:\n        case a:\n            pass\n        case b:\n            pass\n",
    "a conversion of an f-string": f"{BODY}x = 1\n    return f'{{x!z}}'\n",
    "an argument twice, further down": f"{BODY}x = 1\n    return lambda a, a: 1\n",
}


def words_of(source: str) -> tuple[int, str]:
    """Python's own: the line, and what it says there with its column."""
    with pytest.raises(SyntaxError) as caught:
        compile(source, "<none>", "exec", dont_inherit=True)
    error = caught.value
    return error.lineno or 0, f"{bounds.RULES['BND007']}: {error.msg} (column {error.offset})"


@pytest.mark.parametrize("name", NOT_PYTHON)
@pytest.mark.parametrize("gate", ["all", "covenant"])
def test_what_is_no_python_is_told_in_pythons_words(within, name: str, gate: str):
    """In the jail, where a parser that looked for the line in a file would be killed."""
    (found,) = within(Judge(source=NOT_PYTHON[name], gate=gate)).violations
    assert (found.rule, (found.line, found.message)) == ("BND007", words_of(NOT_PYTHON[name]))
    assert found.line > 0


def test_an_encoding_that_is_declared_says_nothing(within):
    assert within(Judge(source=f"# coding: no-such\n{BODY}return 1\n")).accepted


@pytest.mark.parametrize(
    "name", ["area\uff3f", "a\ufe4d", "b\u0387c", "x\ufe0f", "\u115f", "a\u1160", "a\u3164", "\uff58", "a\u034f"]
)
@pytest.mark.parametrize(
    "form",
    [
        "return self.{}",
        "return self.{}()",
        "return self.area_({}=1)",
        "{} = 1",
        "global {}",
        "for {} in a: pass",
        "return [1 for {} in a]",
        "return ({} := 1)",
        "return lambda {}: 1",
        "def {}(): pass",
        "class {}: pass",
        "import os as {}",
        "from os import path as {}",
        "with a as {}: pass",
        "del self.{}",
        "match a:\n        case [{}]: pass",
        "match a:\n        case [*{}]: pass",
        "match a:\n        case {{'k': 1, **{}}}: pass",
        "match a:\n        case int() as {}: pass",
        "try: pass\n    except ValueError as {}: pass",
        "return f'{{self.{}}}'",
        "return f'{{(lambda {}: 1)(2)}}'",
        "return f'{{1:{{a.{}}}}}'",
    ],
)
def test_a_name_is_what_it_looks_like_wherever_it_stands(name: str, form: str):
    source = f"def m_(self, a):\n    {form.format(name)}\n"
    found = gates.judge(source).violations
    assert "BND004" in {violation.rule for violation in found}
    assert gates.judge(f"def m_(self, a):\n    return '{name}', f'{name} {{a}}', {name!a}  # {name}\n").accepted


def test_what_is_looked_up_by_a_literal_name_is_a_name_too():
    assert not gates.judge("def m_(self):\n    return getattr(self, 'ｘ')\n").accepted
    assert gates.judge("def m_(self):\n    return getattr(self, 'größe')\n").accepted


def test_letters_of_all_languages_are_names():
    assert gates.judge("def größe_(self, 名前, é=1):\n    return f'{名前}{é}' + self.é_(名前=1)\n").accepted
