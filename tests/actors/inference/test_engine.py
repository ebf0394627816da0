from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import normalizers

from actors.inference.decoding import decoding
from actors.inference.engine import prove
from protocol.errors import BatosError
from protocol.messages import Row, Sampling, Speed, Turn

GREEDY = Sampling(temperature=0)
STOP = 256
WORD = 'start: "def " NAME ":\\n    pass"\nNAME: /[a-z]{1,4}/'


def texts(inferred):
    return [row.text for row in inferred.rows]


def plain(engine, prompt, count):
    """What the model says by transformers' own forward, without cache, mask or batch."""
    ids = engine.generator.tokenizer(prompt)["input_ids"]
    start = len(ids)
    with torch.inference_mode():
        while len(ids) < start + count:
            token = int(engine.generator.model(torch.tensor([ids])).logits[0, -1].argmax())
            if token == STOP:
                break
            ids.append(token)
    return engine.generator.vocabulary.decode(ids[start:]).decode(errors="replace")


def test_rows_of_different_lengths_decode_as_each_alone(engine):
    prompts = ["a", "hello there", "a", "x" * 40]
    batch = engine.generate([Row(prompt=prompt, sampling=GREEDY, max_tokens=12) for prompt in prompts])
    assert texts(batch) == [plain(engine, prompt, 12) for prompt in prompts]
    assert batch.prompt_tokens == 1 + 11 + 40


@settings(max_examples=15)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "bc", "hello"]), st.integers(), st.integers(1, 9)), min_size=1, max_size=6)
)
def test_the_same_batch_gives_the_same_texts(engine, asked):
    rows = [
        Row(prompt=prompt, seed=seed, max_tokens=limit, sampling=Sampling(temperature=1.5))
        for prompt, seed, limit in asked
    ]
    first = engine.generate(rows)
    assert texts(engine.generate(rows)) == texts(first)
    assert all(row.tokens <= limit for row, (_, _, limit) in zip(first.rows, asked, strict=True))


def test_seeds_part_rows_of_one_prompt(engine):
    rows = [Row(prompt="a", seed=seed, max_tokens=12, sampling=Sampling(temperature=2, top_p=1)) for seed in range(8)]
    assert len(set(texts(engine.generate(rows)))) == 8


def test_pieces_join_to_the_text(engine):
    said: dict[int, str] = {}
    rows = [Row(prompt="a", seed=seed, max_tokens=20, sampling=Sampling(temperature=2, top_p=1)) for seed in range(4)]
    whole = engine.generate(rows, lambda row, text: said.__setitem__(row, said.get(row, "") + text))
    assert [said.get(number, "") for number in range(4)] == texts(whole)


def test_a_stop_is_heeded_at_the_next_step(engine):
    asked = []

    def stop():
        asked.append(1)
        return len(asked) > 5

    row = engine.generate([Row(prompt="a", sampling=GREEDY, max_tokens=100)], None, stop).rows[0]
    assert row.finish == "length"
    assert row.tokens <= 5
    nothing = engine.generate([Row(prompt="a", max_tokens=9)], None, lambda: True)
    assert (nothing.rows[0].text, nothing.rows[0].finish, nothing.prompt_tokens) == ("", "length", 0)


def test_a_grammar_is_kept_and_what_it_forces_is_free(engine):
    rows = [
        Row(prompt="a", grammar=WORD, seed=seed, max_tokens=40, sampling=Sampling(temperature=2)) for seed in range(4)
    ]
    batch = engine.generate(rows)
    for row in batch.rows:
        name = row.text.removeprefix("def ").removesuffix(":\n    pass")
        assert row.finish == "stop"
        assert name.isalpha()
        assert row.text == f"def {name}:\n    pass"
    assert batch.prompt_tokens == 1 + len("def ")


def test_a_form_cut_short_says_so(engine):
    row = engine.generate([Row(prompt="a", grammar=WORD, max_tokens=6)]).rows[0]
    assert (row.finish, row.tokens) == ("length", 6)
    row = engine.generate([Row(prompt="a", grammar='start: "abc"', max_tokens=2)]).rows[0]
    assert (row.text, row.finish) == ("ab", "length")
    row = engine.generate([Row(prompt="a", grammar='start: "abc"', max_tokens=3)]).rows[0]
    assert (row.text, row.finish) == ("abc", "stop")


def test_a_scored_row_says_how_likely_the_model_found_it(engine):
    letters, bold = "start: /[a-z]{6}/", Sampling(temperature=2)
    rows = engine.generate(
        [
            Row(prompt="a", sampling=GREEDY, max_tokens=9, grammar=letters, scored=True),
            Row(prompt="a", sampling=bold, seed=3, max_tokens=9, grammar=letters, scored=True),
            Row(prompt="a", sampling=GREEDY, max_tokens=8, grammar='start: "abc"', scored=True),
            Row(prompt="a", sampling=GREEDY, max_tokens=8, scored=True),
            Row(prompt="a", sampling=GREEDY, max_tokens=8),
        ]
    ).rows
    # However boldly it was drawn: the temperature is not the model's.
    for row in rows[:2]:
        assert row.logprob == pytest.approx(score(engine, "a", row.text), abs=1e-3)
    assert (rows[2].text, rows[2].logprob) == ("abc", 0.0)
    assert rows[3].logprob < 0
    assert (rows[4].text, rows[4].logprob) == (rows[3].text, None)


def score(engine, prompt, text):
    """How likely `text` is among texts of small letters, by transformers' own forward, without cache, mask or batch."""
    read = engine.generator.tokenizer
    ids, tokens = read(prompt)["input_ids"], read(text)["input_ids"]
    letters = read("abcdefghijklmnopqrstuvwxyz")["input_ids"]
    with torch.inference_mode():
        logits = engine.generator.model(torch.tensor([ids + tokens])).logits[0]
    places = range(len(ids) - 1, len(ids) - 1 + len(tokens))
    return float(
        sum(
            logits[place, letters].log_softmax(-1)[letters.index(token)]
            for place, token in zip(places, tokens, strict=True)
        )
    )


def test_a_row_that_has_ended_makes_room_at_once(engine, monkeypatch):
    """What is left of a long row is written alone, whatever stood beside it."""
    read, step = [], decoding._Batch.step
    monkeypatch.setattr(decoding._Batch, "step", lambda self: read.append(len(self.rows)) or step(self))
    rows = [Row(prompt="a", sampling=GREEDY, max_tokens=count) for count in (3, 6, 20)]
    formed = Row(prompt="a", sampling=GREEDY, max_tokens=40, grammar="start: /[a-z]{9}/")
    batch = engine.generate([*rows, formed]).rows
    assert [row.finish for row in batch] == ["length"] * 3 + ["stop"]
    assert read == [4] * 2 + [3] * 3 + [2] * 3 + [1] * 11


def test_it_says_how_fast_it_was(load):
    serving = load()
    assert serving.speed() == Speed()
    serving.generate([Row(prompt="a" * 40, max_tokens=20, sampling=GREEDY)])
    alone = serving.speed()
    assert alone.read > 0
    assert alone.one > 0
    assert alone.many == 0
    inferred = serving.generate([Row(prompt="a", max_tokens=20, sampling=GREEDY)] * 3)
    assert (inferred.speed.rows, inferred.speed.read) == (3, alone.read)
    assert inferred.speed.many > 0
    assert serving.stats()["speed"]["rows"] == 3


def test_a_schema_gives_json(engine):
    schema = {
        "type": "object",
        "properties": {"ok": {"type": "boolean"}, "word": {"type": "string", "maxLength": 5}},
        "required": ["ok", "word"],
        "additionalProperties": False,
    }
    rows = [
        Row(prompt="a", schema=schema, seed=seed, max_tokens=90, sampling=Sampling(temperature=1)) for seed in range(3)
    ]
    for row in engine.generate(rows).rows:
        assert row.finish == "stop"
        assert set(json.loads(row.text)) == {"ok", "word"}


def test_forms_and_free_rows_share_a_batch(engine):
    rows = [Row(prompt="a", sampling=GREEDY, max_tokens=8), Row(prompt="a", grammar=WORD, max_tokens=40)]
    free, formed = engine.generate(rows).rows
    assert free.text == plain(engine, "a", 8)
    assert formed.text.startswith("def ")


def test_turns_go_through_the_template(engine):
    def answer(**row):
        return engine.generate([Row(sampling=GREEDY, max_tokens=8, **row)]).rows[0].text

    asked = [Turn(role="user", content="hi")]
    assert answer(turns=asked) == answer(prompt="<user>hi</><assistant>")
    continued = [*asked, Turn(role="assistant", content="yes\n")]
    assert answer(turns=continued) == answer(prompt="<user>hi</><assistant>yes\n")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"prompt": "a", "expert": "robin"}, "UNKNOWN_EXPERT"),
        ({}, "BAD_ARGUMENT"),
        ({"prompt": "a", "turns": [Turn(role="user", content="b")]}, "BAD_ARGUMENT"),
        ({"prompt": "a", "max_tokens": 0}, "BAD_ARGUMENT"),
        ({"prompt": "a", "sampling": Sampling(temperature=-1)}, "BAD_ARGUMENT"),
        ({"prompt": "a", "sampling": Sampling(top_p=0)}, "BAD_ARGUMENT"),
        ({"prompt": "x" * 10_000_000}, "BAD_ARGUMENT"),
        ({"turns": [Turn(role="user", content="x" * 10_000_000)]}, "BAD_ARGUMENT"),
    ],
)
def test_a_bad_row_is_refused_and_the_engine_serves_on(engine, row, code):
    with pytest.raises(BatosError) as caught:
        engine.generate([Row(prompt="a"), Row(**row)])
    assert caught.value.code == code
    assert engine.generate([Row(prompt="a", max_tokens=1)]).rows[0].tokens <= 1


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"prompt": "a", "grammar": "start: nothing"}, "BAD_CONSTRAINT"),
        ({"prompt": "a", "schema": {"type": "strange"}}, "BAD_CONSTRAINT"),
        ({"prompt": "a", "schema": {"type": "string", "format": "strange"}}, "BAD_CONSTRAINT"),
        ({"prompt": "a", "schema": {}, "grammar": WORD}, "BAD_CONSTRAINT"),
        ({"prompt": "x" * 128}, "TOO_LARGE"),
        ({"prompt": "a", "grammar": 'start: "a" start'}, "BAD_CONSTRAINT"),
        ({"prompt": "a", "schema": {"$ref": "#"}}, "BAD_CONSTRAINT"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_and_costs_the_others_nothing(engine, row, code):
    with pytest.raises(BatosError) as caught:
        engine.generate([Row(**row), Row(**row)])
    assert caught.value.code == code
    good = Row(prompt="a", sampling=GREEDY, max_tokens=8)
    first, bad, last = engine.generate([good, Row(**row), good]).rows
    assert (bad.text, bad.finish, bad.code, bool(bad.reason), bool(bad.hint)) == ("", "failed", code, True, True)
    assert first.text == last.text == plain(engine, "a", 8)


def test_a_prompt_of_which_the_tokenizer_leaves_nothing_is_refused(engine, monkeypatch):
    monkeypatch.setattr(engine.generator.tokenizer.backend_tokenizer, "normalizer", normalizers.Strip(), raising=True)
    try:
        with pytest.raises(BatosError) as caught:
            engine.generate([Row(prompt=" \n "), Row(prompt=" \n\n")])
        beside = engine.generate([Row(prompt="a", max_tokens=2), Row(prompt=" \n ")]).rows
    finally:
        monkeypatch.undo()
    assert caught.value.code == "BAD_ARGUMENT"
    assert "the prompt has no token" in caught.value.message
    assert [(row.finish, row.code) for row in beside] == [("length", ""), ("failed", "BAD_ARGUMENT")]


def test_too_many_rows_are_refused(engine):
    with pytest.raises(BatosError) as caught:
        engine.generate([Row(prompt="a", max_tokens=1)] * 65)
    assert caught.value.code == "TOO_LARGE"


def test_a_text_ends_where_the_context_does(engine):
    row = engine.generate([Row(prompt="x" * 120, sampling=GREEDY, max_tokens=100)]).rows[0]
    assert row.tokens <= 8


def test_no_rows_give_no_texts(engine):
    assert engine.generate([]).rows == []


@pytest.mark.parametrize(
    ("error", "code"),
    [(RuntimeError("a kernel is missing"), "BAD_MODEL"), (MemoryError(), "OUT_OF_MEMORY")],
)
def test_what_cannot_say_a_word_is_a_bad_model_and_what_has_no_room_is_not(load, error, code):
    engine = load()

    def broken(*_):
        raise error

    hook = engine.generator.model.model.layers[1].register_forward_hook(broken)
    with pytest.raises(BatosError) as caught:
        prove(engine)
    assert (caught.value.code, bool(caught.value.hint)) == (code, True)
    hook.remove()
    prove(engine)


def test_a_row_whose_form_leads_nowhere_is_stuck_and_the_others_go_on(engine, monkeypatch):
    from actors.inference.forms.constraints import Constraint, DeadEndError

    def take(self, token):
        raise DeadEndError(f"nothing after {token}")

    monkeypatch.setattr(Constraint, "take", take)
    rows = [
        Row(prompt="a", grammar="start: /[a-z]{9}/", sampling=GREEDY),
        Row(prompt="a", max_tokens=5, sampling=GREEDY),
    ]
    stuck, other = engine.generate(rows).rows
    assert stuck.finish == "stuck"
    assert (other.finish, other.text) == ("length", plain(engine, "a", 5))
