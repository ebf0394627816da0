"""What counts as a right answer, and that what ships can be asked."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.asking.rules import DOCUMENTS, HERE, Question, has, is_refusal, is_right, read, words


@pytest.mark.parametrize(
    ("text", "spelling", "found"),
    [
        ("It costs 71,000 euros.", "71000", True),
        ("It costs 149.00 €.", "149", True),
        ("It has three rooms.", "3 rooms", True),
        ("He lived there for thirty-one years.", "31", True),
        ("Version 3.10.", "3.1", True),
        ("It costs 171,000 euros.", "71,000", False),
        ("Café Ö.", "cafe o", True),
        ("The mill is old.", "old mill", False),
        ("form T-14", "T-14", True),
        ("at 04:58:31", "04:58", False),
        ("192.168.77.1", "192.168.77.1", True),
    ],
)
def test_a_fact_is_found_by_its_words_and_numbers(text, spelling, found):
    assert has(text, spelling) is found


def test_words_are_folded():
    assert words("Don\u2019t say Ten, SAY 3,600!") == ["don", "t", "say", "10", "say", "3600"]


@pytest.mark.parametrize(
    ("text", "refuses"),
    [
        ("The documents do not say.", True),
        ("It isn't specified: not specified.", True),
        ("It costs 5 euros.", False),
        ("", False),
    ],
)
def test_a_refusal_is_known_by_its_words(text, refuses):
    assert is_refusal(text) is refuses


def test_all_facts_are_needed_and_nothing_but_a_refusal_where_there_are_none():
    two = Question(id="q001", kind="two", ask="Who, and when?", facts=[["Rask"], ["1922"]])
    assert is_right(two, "Emil Rask, in 1922.")
    assert not is_right(two, "Emil Rask.")
    none = Question(id="q002", kind="none", ask="Which colour?", facts=[])
    assert is_right(none, "The documents do not say.")
    assert not is_right(none, "Red.")
    assert [two.is_calibration, none.is_calibration] == [False, True]


def test_what_ships_is_enough_and_each_fact_stands_in_a_document():
    questions = read()
    kinds = Counter(question.kind for question in questions)
    texts = [path.read_text(encoding="utf-8") for path in sorted(DOCUMENTS.iterdir())]
    assert len(questions) >= 60
    assert len(texts) >= 12
    assert kinds["none"] >= 12
    assert min(kinds.values()) >= 10
    assert len({question.id for question in questions}) == len(questions)
    spoken = {"0", "yes", "150"}  # said in other words there
    for question in questions:
        for fact in question.facts:
            assert spoken & set(fact) or any(has(text, spelling) for text in texts for spelling in fact), question
    for thread in {question.thread for question in questions if question.thread}:
        assert next(question.kind for question in questions if question.thread == thread) == "single"


def test_each_fact_of_the_other_questions_stands_in_a_document():
    questions = read(HERE / "other" / "questions.jsonl")
    texts = [path.read_text(encoding="utf-8") for path in sorted((HERE / "other" / "documents").iterdir())]
    missing = [
        question.id
        for question in questions
        for fact in question.facts
        if not any(has(text, spelling) for text in texts for spelling in fact)
    ]
    assert missing == []
    assert len({question.id for question in questions}) == len(questions)
