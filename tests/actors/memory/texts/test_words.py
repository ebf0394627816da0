"""How a text becomes terms: each kind of token, and the laws that hold for all of them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.memory.texts.words import LONGEST, STOP_WORDS, document_terms, query_terms

ALIKE = [
    ("AB-1234-X", "ab1234x"),
    ("C-8", "C8"),
    ("C-8", "C 8"),
    ("e-mail", "email"),
    ("plug-ins", "plugin"),
    ("sign-off", "dco-signoff"),
    ("node.js", "NodeJS"),
    ("I.B.M.", "IBM"),
    ("U.S.", "US"),
    ("getUserById", "get_user_by_id"),
    ("HTTPServer", "http_server"),
    ("user", "getUserById"),
    ("PDF", "PDFs"),
    ("m5799", "WF-M5799DWF"),
    ("1.2", "1.2.3"),
    ("1.2.3", "v1.2.3"),
    ("2024-03-05", "2024/03/05"),
    ("1,000,000", "1000000"),
    ("café", "cafe"),
    ("Dvořák", "DVORAK"),
    ("Łódź", "lodz"),
    ("Köln", "Koeln"),
    ("Köln", "koln"),
    ("Koeln", "koln"),
    ("Straße", "STRASSE"),
    ("Häuser", "Haus"),
    ("mice", "mouse"),
    ("Ket\u00adtle", "kettle"),
    ("Ket\u00ad\n  tle", "kettle"),
    ("infor-\nmation", "information"),
    ("zero\u200bwidth", "width"),
    ("zero\u200bwidth", "zerowidth"),
    ("word\ufeff", "word"),
    ("किताबें", "किताब"),
    ("हिंदी", "हिन्दी"),
    ("مُدَرِّس", "مدرس"),
    ("المكتبة", "مكتبة"),
    ("библиотеку", "библиотека"),
    ("красного", "красный"),
    ("混合检索", "我们最近配置的混合检索是新的模型。"),
    ("한국", "한국어를"),
    ("ｶﾀｶﾅ", "カタカナ"),
    ("vitamin a", "Vitamin A"),
    ("O'Brien", "obrien"),
    ("AT&T", "at&t"),
    ("COVID-19", "covid19"),
    ("Wi-Fi", "wifi"),
    ("user@example.com", "example.com"),
    ("O\u2019Brien", "O'Brien"),
]
"""A question, and a text that it is to find by more than a single letter."""

APART = [
    ("1.2.3", "1.3.2"),
    ("1.2.3", "123"),
    ("192.168.0.1", "192.168.1.0"),
    ("2024-03-05", "2024-05-03"),
    ("C#", "C"),
    ("C++", "C#"),
    ("IT", "it"),
    ("vitamin a", "a vitamin"),
    ("東京", "京東"),
]
"""A question of which something is not in the text, though all letters and numbers are."""

WORDS = st.text("abcdefghijklmnopqrstuvwxyzäöüéñ", min_size=1, max_size=12)
TEXTS = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("aBéÄ1 29.-_'+#\u00ad\u200b\u0301東京किمُд한\n,")),
    max_size=40,
)


def all_terms(text):
    words, beside = document_terms(text)
    return [*words, *beside]


def shared(query, text):
    return {term for term in query_terms(query) if len(term) > 1 or not term.isascii()} & {*all_terms(text)}


@pytest.mark.parametrize(("query", "text"), [*ALIKE, *((text, query) for query, text in ALIKE), ("京", "東京")])
def test_what_is_written_differently_is_found(query, text):
    assert shared(query, text), (query_terms(query), all_terms(text))


@pytest.mark.parametrize(("query", "text"), APART)
def test_what_looks_alike_stays_apart(query, text):
    assert {*query_terms(query)} - {*all_terms(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Running runners ran", ["run", "runner", "ran"]),
        ("The Wing's lift isn't his", ["wing", "lift"]),
        ("ﬁne CAFÉ cafe\u0301", ["fine", "cafe", "cafe"]),
        ("… — ?!", []),
        ("q" * 5000, ["q" * LONGEST]),
    ],
)
def test_a_question_keeps_what_says_something(text, expected):
    assert query_terms(text) == expected


@pytest.mark.parametrize("query", ["The Who", "to be or not to be", "IT", "what is it"])
def test_words_of_grammar_count_where_nothing_else_is_asked(query):
    assert {*query_terms(query.lower())} == {*query.lower().split()}
    assert {*query_terms(query)} <= {*all_terms(f"{query} is a wing")}
    assert query_terms(f"{query.lower()} wing") == ["wing"]


def test_a_compound_of_words_of_grammar_is_a_word():
    assert query_terms("AT&T phone") == ["phone", "phone", "att"]
    assert query_terms("to-be") == ["tobe", "to", "be"]


def test_capitals_make_a_name_of_a_word_of_grammar():
    assert query_terms("IT support") == ["support", "IT"]
    assert "IT" not in all_terms("it is support")


def test_words_of_grammar_stand_once_and_all_of_them_are_terms():
    assert document_terms("the wing of the bird of the air") == (["wing", "bird", "air"], ["the", "of"])
    assert document_terms("to be or not to be") == (["to", "be", "or", "not"], [])
    assert {*all_terms(" ".join(STOP_WORDS))} >= STOP_WORDS


def test_a_hash_is_one_word():
    digest = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90"
    assert all_terms(digest) == [digest]


@given(st.lists(WORDS, max_size=5).map(" ".join))
def test_case_makes_no_difference_to_words(text):
    lower = all_terms(text)
    assert [term for term in all_terms(text.upper()) if not term.isupper()] == lower
    assert [term for term in all_terms(text.title()) if not term.isupper()] == lower


@given(TEXTS)
def test_the_normal_form_makes_no_difference(text):
    for form in ("NFC", "NFD"):
        assert all_terms(unicodedata.normalize(form, text)) == all_terms(text)
        assert query_terms(unicodedata.normalize(form, text)) == query_terms(text)


@given(TEXTS)
def test_a_text_finds_itself_by_all_that_it_asks(text):
    assert {*query_terms(text)} <= {*all_terms(text)}


@given(
    st.lists(st.one_of(WORDS, st.sampled_from(["C++", "x1.2-b", "aB_c", "the", "東京都", "café", "I.T."])), min_size=1)
)
def test_a_text_is_found_by_any_of_its_words(words):
    terms = {*all_terms(" ".join(words))}
    for word in words:
        assert {*query_terms(word)} <= terms
        assert query_terms(word)


@given(TEXTS)
def test_no_term_is_empty_or_without_bound(text):
    assert all(0 < len(term) <= LONGEST for term in all_terms(text * 3))


@given(st.text(st.characters(codec="ascii"), max_size=60))
def test_a_text_of_ascii_is_read_like_any_other(text):
    terms = document_terms(text)
    words, beside = document_terms(f"{text} …")
    assert words + beside == terms.words + terms.beside
