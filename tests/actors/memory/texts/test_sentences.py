"""Sentences: they are the whole text but for the white space between them, and none is over the cap."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.memory.texts.sentences import WINDOW, sentences, spans

CAP = 5


def tokens(texts):
    """Two characters of a word make a token."""
    return [[match.span() for match in re.finditer(r"\S{1,2}", text)] for text in texts]


@given(st.text(alphabet="ab. !?\n\tÄ。e\u0301", max_size=200))
def test_nothing_but_white_space_lies_between_two_sentences(text):
    found = sentences(text, CAP, tokens)
    at = 0
    for sentence in found:
        assert not text[at : sentence.start].strip()
        assert text[sentence.start : sentence.end] == text[sentence.start : sentence.end].strip() != ""
        at = sentence.end
    assert not text[at:].strip()


@given(st.text(alphabet="abc .\n", max_size=200), st.integers(1, 20))
def test_no_sentence_is_over_the_cap(text, cap):
    for sentence in sentences(text, cap, tokens):
        (found,) = tokens([text[sentence.start : sentence.end]])
        assert sentence.tokens == len(found) <= cap


def test_sentences_are_told_from_points():
    text = "Dr. Smith has 2.5 kg.  He left!\n\nA new paragraph"
    found = sentences(text, 100, tokens)
    assert [text[each.start : each.end] for each in found] == ["Dr. Smith has 2.5 kg.", "He left!", "A new paragraph"]


def test_a_long_sentence_is_cut_where_words_begin_and_a_long_word_anywhere():
    text = "aa bb cc dd ee ff gg"
    assert [text[each.start : each.end] for each in sentences(text, CAP, tokens)] == ["aa bb cc dd ee", "ff gg"]
    text = "x " + "a" * 24
    parts = [text[each.start : each.end] for each in sentences(text, CAP, tokens)]
    assert parts == ["x", "a" * 10, "a" * 10, "a" * 4]


def test_a_character_of_more_tokens_than_the_cap_is_left_whole():
    assert sentences("漢", 2, lambda texts: [[(0, 1)] * 3 for _ in texts]) == [(0, 1, 2)]


@pytest.mark.parametrize(
    "sentence", ["The dough rises. ", "Der Teig geht schön auf. ", "今日は天気がいいです。", "Whole.\n\n"]
)
def test_a_long_text_has_the_sentences_that_it_has_in_windows(sentence):
    text = sentence * 2_000
    found = list(spans(text, 0, len(text)))
    assert [text[start:end] for start, end in found] == [sentence.strip()] * 2_000


def test_what_has_no_end_is_cut_between_two_words():
    text = "abc " * 5_000
    found = [text[start:end] for start, end in spans(text, 0, len(text))]
    assert " ".join(found) == text.strip()
    assert all(len(each) <= WINDOW for each in found)
