"""Whole methods, bodies in `methods/`, divided by `---`; their parameters are `self, a, b=None, c=None`.

`broken.txt`: each breaks the covenant in a way of its own: by every expression in which a change can hide, by every
name that a part of the state can go by, and by every condition that only seems to be the same. `kept.txt`: what people
and models write, and what keeps it.
"""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from actors.guardian.covenant import covenant

FOLDER = Path(__file__).parent / "methods"


def bodies(name: str) -> list[str]:
    return (FOLDER / f"{name}.txt").read_text().rstrip("\n").split("\n---\n")


def judged(body: str) -> set[str]:
    source = f"def m_(self, a, b=None, c=None):\n{textwrap.indent(body, '    ')}\n"
    return {rule for rule, _, _ in covenant.check(ast.parse(source))}


@pytest.mark.parametrize("body", bodies("broken"))
def test_what_breaks_the_covenant_is_refused(body: str):
    assert judged(body) & {"COV001", "COV002", "COV003", "COV005"}


@pytest.mark.parametrize("body", bodies("kept"))
def test_what_keeps_the_covenant_is_accepted(body: str):
    assert judged(body) == set()


def test_what_cannot_be_known_is_told_how_to_write():
    for sign in "+*|":
        source = f"def m_(self, x):\n    t = self.t\n    t {sign}= x\n    return t\n"
        ((rule, line, message),) = covenant.check(ast.parse(source))
        assert (rule, line) == ("COV001", 3)
        assert f"`x = x {sign} y`" in message
        plain = source.replace(f"t {sign}= x", f"t = t {sign} x")
        assert covenant.check(ast.parse(plain)) == []


def test_operators_that_no_list_or_dict_takes_change_nothing():
    for sign in ("-", "/", "//", "%", "**", "&", "^", "<<"):
        assert judged(f"t = self.t\nt {sign}= a\nreturn t") == set()
        assert judged(f"t = [self.t]\nt[0] {sign}= a\nreturn t") == set()
