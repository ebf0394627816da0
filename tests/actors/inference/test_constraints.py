"""Forms whose texts somebody else has written, and the tokenizers that a form can be kept with."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, decoders, models

from actors.inference.constraints import Form, Vocabulary
from protocol.errors import BatosError

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "grammar", "text", "kept"),
    [
        (None, None, "whatever", True),
        (None, 'start: "né" /[0-9]{1,3}/', "né12", True),
        (None, 'start: "né" /[0-9]{1,3}/', "né", False),
        (None, 'start: "né" /[0-9]{1,3}/', "né12 ", False),
        (None, 'start: "a"?', "", True),
        (SCHEMA, None, '{"a": 1}', True),
        (SCHEMA, None, '{ "a" :\n1}', True),
        (SCHEMA, None, '{"a": "1"}', False),
        (SCHEMA, None, '{"a": 1', False),
        (SCHEMA, None, '{"a": 1, "b": 2}', False),
    ],
)
def test_whether_a_text_keeps_its_form(schema, grammar, text, kept):
    form = Form(schema, grammar)
    assert [form.is_kept(text) for _ in range(2)] == [kept] * 2


@pytest.mark.parametrize(
    ("schema", "grammar"), [(None, "start: nothing"), ({"type": "no"}, None), (SCHEMA, "start: 'a'")]
)
def test_a_form_that_cannot_be_kept_is_refused(schema, grammar):
    with pytest.raises(BatosError) as caught:
        Form(schema, grammar)
    assert caught.value.code == "BAD_CONSTRAINT"


@pytest.mark.parametrize(
    ("text", "kept"),
    [('{"a": 1.0}', True), (' {"\\u0061":1e0}\n', True), ('{"a": 1.5}', False), ('{"a":1,"a":1}', False)],
)
def test_another_spelling_of_the_same_value_keeps_a_schema(text, kept):
    assert Form(SCHEMA, None).is_kept(text) == kept


@pytest.mark.parametrize(("text", "begun"), [('{"a": 1', True), ("", True), ("hello", False), ('{"b"', False)])
def test_a_cut_text_must_be_the_beginning_of_its_form(text, begun):
    assert Form(SCHEMA, None).is_begun(text) == begun


@pytest.mark.parametrize(
    ("schema", "grammar"), [({"const": "\ud800"}, None), ({"minimum": float("nan")}, None), (None, "start: start")]
)
def test_a_form_that_raises_or_allows_nothing_is_refused_in_words(schema, grammar):
    with pytest.raises(BatosError) as caught:
        Form(schema, grammar)
    assert caught.value.code == "BAD_CONSTRAINT"
    assert "backtrace" not in caught.value.message


def test_a_choice_of_thousands_is_served():
    form = Form(None, "start: " + " | ".join(f'"w{n}"' for n in range(2500)))
    assert form.is_kept("w7")


def unigram():
    words = Tokenizer(models.Unigram([("<unk>", 0.0), ("<end>", 0.0), ("a", -1.0)], unk_id=0))
    words.decoder = decoders.Metaspace()
    return words


def word_piece():
    words = Tokenizer(models.WordPiece({"[UNK]": 0, "<end>": 1, "a": 2}, unk_token="[UNK]"))
    words.decoder = decoders.WordPiece()
    return words


def byte_fallback():
    tokens = ["<unk>", "<end>", *(f"<0x{byte:02X}>" for byte in range(256)), "a"]
    words = Tokenizer(
        models.BPE({token: n for n, token in enumerate(tokens)}, [], unk_token="<unk>", byte_fallback=True)
    )
    words.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    return words


@pytest.mark.parametrize(("words", "kind"), [(unigram, "Unigram, Metaspace"), (word_piece, "WordPiece, WordPiece")])
def test_a_tokenizer_whose_tokens_are_no_bytes_is_refused_by_its_kind(words, kind):
    with pytest.raises(BatosError) as caught:
        Vocabulary(words().to_str(), 300, [1])
    assert (caught.value.code, f"({kind})" in caught.value.message) == ("BAD_MODEL", True)
    assert "byte-level BPE" in caught.value.hint


def test_a_tokenizer_that_falls_back_to_bytes_is_read():
    words = byte_fallback()
    vocabulary = Vocabulary(words.to_str(), 300, [1])
    assert vocabulary.decode([words.token_to_id("<0x41>"), words.token_to_id("a")]) == b"Aa"
