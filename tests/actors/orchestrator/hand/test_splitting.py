"""A source of several methods is cut where its methods begin, and nowhere else."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.orchestrator.hand.splitting import Part, split

ONE = "def area_(self):\n    return self.width\n"
TWO = 'def tell_(self):\n    """\ndef no_(self):\n    """\n    return [\ndef_,\n]\n'


def test_one_method_is_one_part():
    assert split(ONE) == [Part(ONE, 1)]


def test_what_is_in_a_text_or_in_brackets_begins_no_method():
    assert split(f"{TWO}\n\n{ONE}") == [Part(TWO, 1), Part(ONE, 10)]


def test_comments_belong_to_the_method_that_they_stand_before():
    parts = split(f"# all of it\n{ONE}\n# of tell_\n# too\n{TWO}# and the end\n")
    assert parts == [Part(f"# all of it\n{ONE}", 1), Part(f"# of tell_\n# too\n{TWO}# and the end\n", 5)]


def test_what_is_no_method_goes_with_the_part_before_it():
    assert split(f"import os\n{ONE}x = 1\n{ONE}") == [Part(f"import os\n{ONE}x = 1\n", 1), Part(ONE, 5)]
    assert split(f"{ONE}@wrapped\n{ONE}")[1] == Part(f"@wrapped\n{ONE}", 3)


@pytest.mark.parametrize(
    "text", ["def area_(self:\n    return (\n", "'''", "def a_(self):\n\treturn 1\n        x = 2\n"]
)
def test_what_has_no_tokens_is_one_part_for_the_guardian_to_judge(text):
    assert [part.line for part in split(text)] == [1]


@pytest.mark.parametrize("text", ["", "\n\n", "  \n\t\n"])
def test_nothing_has_no_parts(text):
    assert split(text) == []


@given(
    st.lists(
        st.sampled_from([ONE, TWO, "# why\ndef up_(self, by):\n    if by:\n\n        return 1\n    return 2\n"]),
        min_size=1,
    ),
    st.integers(0, 3),
)
def test_parts_are_the_methods_in_their_order(methods, between):
    text = ("\n" * between).join(methods)
    parts = split(text)
    assert [part.source for part in parts] == methods
    lines = text.split("\n")
    assert all(lines[part.line - 1] == part.source.split("\n")[0] for part in parts)
    assert all(len(ast.parse(part.source).body) == 1 for part in parts)
