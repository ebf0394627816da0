"""Which small cases are about finding."""

from __future__ import annotations

import json

import pytest

from bench.retrieval.cases import read_case


def line(told, expected):
    return json.dumps({"id": "mem-1", "kind": "words", "input": told, "expected": expected})


@pytest.mark.parametrize(("expected", "is_promised"), [("a first (a plural)", True), ("a first (not promised)", False)])
def test_a_case_has_documents_a_question_and_who_is_first(expected, is_promised):
    case = read_case(line("docs {'a': 'Three mice.', 'b': \"A cat's.\"} query 'mouse'", expected))
    assert case == ("mem-1", {"a": "Three mice.", "b": "A cat's."}, "mouse", "a", is_promised)


@pytest.mark.parametrize(
    ("told", "expected"),
    [("forget 100 of the abstracts", "the file does not grow"), ("docs {'a': 'x'} query 'x'", "one hit, or three")],
)
def test_what_is_about_something_else_is_no_case(told, expected):
    assert read_case(line(told, expected)) is None
