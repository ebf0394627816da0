"""Forms whose texts somebody else has written, and the tokenizers that a form can be kept with."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models

from actors.inference.forms.constraints import Form, Vocabulary
from actors.inference.forms.grammar import MAX_CHARACTERS, MAX_PARTS
from actors.inference.forms.proving import CPU_S
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


def nested(depth):
    schema = {"type": "integer"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


LOOP = {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
MANY = " | ".join(f'"w{n}"' for n in range(70_000))


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"const": "\ud800"}, "half a character"),
        ({"minimum": float("nan")}, "not JSON compliant"),
        ({"const": b"a"}, "not JSON serializable"),
        (nested(300), "nests too deep"),
        (nested(2500), "nests too deep"),
        ({"enum": [f"word {n}" for n in range(100_000)]}, "characters"),
        (LOOP, "ever ends"),
        ({"$ref": "#/$defs/nowhere"}, "does not exist"),
        ({"$ref": "http://elsewhere/x.json"}, "elsewhere"),
        ({"type": "object", "patternProperties": {"((": {}}}, "unclosed group"),
        ({"type": "string", "pattern": "(a)\\1"}, "backreferences"),
        ({"type": "integer", "minimum": 5, "maximum": 3}, "greater than maximum"),
        ({"allOf": [{"type": "integer"}, {"type": "string"}]}, "incompatible types"),
        ({"enum": []}, "anyOf is empty"),
        ({"not": {}}, "not"),
        (f"start: {MANY}", "WORD"),
        ("start: start", "`start` needs `start` again"),
        ('start: "a" start', "`start` needs `start` again"),
        ("start: nothing", "unknown name"),
        ('begin: "a"', "no start rule"),
        ("start: /((/", "unclosed group"),
        ("start: /(?=a)b/", "look-around"),
        ('start: "a"{1000000}', "too much is repeated"),
        ('start: "a" X\nX: /[0-9]/ & ~/[0-9]/', "nothing can follow"),
        ('start: X\nX: "a" X | "b"', "circular"),
        ('start: "\ud800"', "half a character"),
        ('start: "a" <|im_end|>', "<|im_end|>"),
    ],
)
def test_a_form_that_cannot_be_kept_is_refused_in_words(form, said, capfd):
    with pytest.raises(BatosError) as caught:
        Form(*((form, None) if isinstance(form, dict) else (None, form)))
    assert caught.value.code == "BAD_CONSTRAINT"
    assert said in caught.value.message
    assert len(caught.value.message) < 700
    assert "docs/engines.md" in caught.value.hint
    assert not any(
        word in caught.value.message for word in ("panic", "backtrace", "assertion", "limits.", "NoExtension")
    )
    assert capfd.readouterr() == ("", "")


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


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("start: " + " | ".join(f'"w{n}"' for n in range(4000)), "w7"),
        (f"start: WORD\nWORD: {MANY}", "w69999"),
        ('start: start "a" | "b"', "baa"),
        ("start: /(a+)+b/", "aaab"),
        ({"enum": [f"word {n}" for n in range(5000)]}, '"word 4999"'),
        (
            {"type": "object", "patternProperties": {"^a[0-9]$": {"type": "null"}}, "additionalProperties": False},
            '{"a1":null}',
        ),
        ({"$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}, "[[],[[]]]"),
        (nested(60), "[" * 60 + "]" * 60),
    ],
)
def test_large_and_recursive_forms_are_served(form, text):
    assert Form(*((form, None) if isinstance(form, dict) else (None, form))).is_kept(text)


def test_the_pages_of_the_house_are_where_the_hint_says():
    page = (Path(__file__).parents[4] / "docs" / "engines.md").read_text(encoding="utf-8")
    assert "## Forms" in page
    assert all(f"{limit:,}" in page for limit in (MAX_CHARACTERS, MAX_PARTS))
    assert f"{CPU_S:.0f} seconds" in page
