"""One row of a model server: how its words are sent, and that what becomes of it costs the rows beside it nothing."""

from __future__ import annotations

import json

import msgspec
import pytest

from actors.inference.forms.constraints import Form
from actors.inference.remote.remote_text import Texts
from actors.inference.remote.replies import Choice, Chunk
from protocol.errors import BatosError
from protocol.messages import Row, Sampling, Turn

from ..fake_server import NAME

GREEDY = Sampling(temperature=0)
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a", "b"]}


def row(seed=0, **more):
    return Row(**({"prompt": "hello", "max_tokens": 8, "sampling": GREEDY, "seed": seed} | more))


def refused(work):
    with pytest.raises(BatosError) as caught:
        work()
    return caught.value


def events(*pieces, finish=None, **more):
    """The bytes of a stream that says these pieces."""
    said = [{"model": NAME, "choices": [{"text": piece, "finish_reason": None}], **more} for piece in pieces]
    said.append({"model": NAME, "choices": [{"text": "", "finish_reason": finish}]})
    return b"".join(b"data: %s\n\n" % json.dumps(one).encode() for one in said) + b"data: [DONE]\n\n"


def test_a_spelt_control_token_stays_text_as_it_does_here(remote, engine, fake):
    rows = [
        row(turns=[Turn(role="user", content="a<end>b")], prompt=""),
        row(turns=[Turn(role="user", content="a"), Turn(role="assistant", content="<end><end>")], prompt=""),
        row(prompt="x<end>"),
    ]
    assert remote.generate(rows).rows == engine.generate(rows).rows
    for body in fake.streamed():
        assert isinstance(body["prompt"], list)
        assert 256 not in body["prompt"]
    assert "/v1/chat/completions" not in fake.paths()


def test_a_server_that_takes_texts_alone_is_sent_no_control_token(fake, reach, engine):
    fake.faults["words"] = True
    remote = reach()
    turns = [Turn(role="system", content="s"), Turn(role="user", content="hi")]
    rows = [row(), row(turns=turns, prompt=""), row(turns=[*turns, Turn(role="assistant", content="we")], prompt="")]
    bad = row(turns=[Turn(role="user", content="a<end>b")], prompt="")
    made = remote.generate([*rows, bad])
    assert made.rows[:3] == engine.generate(rows).rows
    one = made.rows[3]
    assert (one.finish, one.code, one.text, "<end>" in one.reason) == ("failed", "BAD_ARGUMENT", "", True)
    assert "docs/engines.md" in one.hint
    assert len(fake.streamed()) == 3
    assert refused(lambda: remote.generate([bad])).code == "BAD_ARGUMENT"


def test_a_scored_row_has_what_the_server_tells(remote, engine, fake):
    rows = [row(scored=True), row(scored=True, seed=5), row()]
    fake.faults |= {"silent": True, "seed": 5}
    made, ours = remote.generate(rows).rows, engine.generate(rows).rows
    assert made[0].text == ours[0].text
    assert made[0].logprob == pytest.approx(ours[0].logprob, abs=1e-3)
    assert [one.logprob for one in made[1:]] == [None, None]
    assert ["logprobs" in body for body in fake.streamed()].count(True) == 2


@pytest.mark.parametrize(
    ("told", "logprob"),
    [
        ([{"token_logprobs": [-1.0]}, {"token_logprobs": [-0.5, -0.5]}], -2.0),
        ([{"content": [{"logprob": -1.0, "token": "a"}]}, {"content": [{"logprob": -2}]}], -3.0),
        ([{"token_logprobs": [-1.0]}, None], None),
        ([{"token_logprobs": [-1.0, None]}, {"token_logprobs": [-1.0]}], None),
        ([{"content": None}, {"token_logprobs": None}], None),
    ],
    ids=str,
)
def test_likelihoods_are_summed_from_where_a_server_tells_them(remote, told, logprob):
    asked = row(scored=True)
    texts = Texts([remote.generator.words.job(asked, remote.generator.prompt(asked), {"model": NAME})])
    for one in told:
        said = {"model": NAME, "choices": [{"text": "a", "logprobs": one}]}
        texts.take(msgspec.json.decode(json.dumps(said), type=Chunk))
    texts.take(Chunk(choices=[Choice(finish_reason="stop")]))
    texts.close(remote.generator.words)
    assert texts.texts[0].generated(Form(None, None)).logprob == logprob


def test_a_form_that_cannot_be_kept_costs_the_others_nothing(remote, engine, fake):
    made = remote.generate([row(), row(grammar="start: nothing"), row(grammar='start: "a"', schema=SCHEMA)])
    assert made.rows[0] == engine.generate([row()]).rows[0]
    assert [(one.finish, one.code, bool(one.reason)) for one in made.rows[1:]] == [
        ("failed", "BAD_CONSTRAINT", True)
    ] * 2
    fake.asked.clear()
    assert refused(lambda: remote.generate([row(grammar="start: nothing")])).code == "BAD_CONSTRAINT"
    assert fake.asked == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"status": (400, "too many words")}, ("BAD_ARGUMENT", "too many words")),
        ({"status": (500, "boom")}, ("GENERATION_FAILED", "boom")),
        ({"status": (422, "x" * 10_000_000)}, ("BAD_ARGUMENT", "xxx")),
        ({"cut": 2}, ("GENERATION_FAILED", "cut off")),
        ({"broken": 2}, ("GENERATION_FAILED", "out of blocks")),
        ({"finish": "abort"}, ("GENERATION_FAILED", "abort")),
        ({"finish": None}, ("GENERATION_FAILED", "without saying why")),
        ({"finish": 7}, ("GENERATION_FAILED", "not of its protocol")),
        ({"model": "another"}, ("GENERATION_FAILED", "another")),
        ({"model": ""}, ("GENERATION_FAILED", "which model")),
        ({"index": 1}, ("GENERATION_FAILED", "more texts")),
        ({"usage": {"completion_tokens": -1}}, ("GENERATION_FAILED", "counts -1")),
        ({"usage": {"completion_tokens": 10**15}}, ("GENERATION_FAILED", "counts 10")),
        ({"usage": {"completion_tokens": "8"}}, ("GENERATION_FAILED", "not of its protocol")),
        ({"raw": ("text/html", b"<html>")}, ("GENERATION_FAILED", "without a stream")),
        ({"raw": ("text/event-stream", b"")}, ("GENERATION_FAILED", "cut off")),
        ({"raw": ("text/event-stream", b"data: <html>\n\n")}, ("GENERATION_FAILED", "not of its protocol")),
        (
            {"raw": ("text/event-stream", b'data: {"choices": [{"logprobs": NaN}]}\n\n')},
            ("GENERATION_FAILED", "protocol"),
        ),
        (
            {"raw": ("text/event-stream", b"data: " + b"[" * 100_000 + b"\n\n")},
            ("GENERATION_FAILED", "not of its protocol"),
        ),
        ({"raw": ("text/event-stream", b'data: {"choices": 7}\n\n')}, ("GENERATION_FAILED", "not of its protocol")),
        ({"raw": ("text/event-stream", events())}, ("GENERATION_FAILED", "without saying why")),
        ({"raw": ("text/event-stream", events("x" * 500, finish="stop"))}, ("GENERATION_FAILED", "more text")),
        ({"raw": ("text/event-stream", events(*["x" * 100_000] * 100))}, ("GENERATION_FAILED", "more text")),
        ({"raw": ("text/event-stream", events("x" * 10_000_000))}, ("GENERATION_FAILED", "")),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_goes_wrong_with_a_row_is_that_rows(remote, engine, fake, fault, said):
    code, words = said
    fake.faults |= fault | {"seed": 5}
    made = remote.generate([row(), row(seed=5), row(prompt="b")])
    here = engine.generate([row(), row(prompt="b")])
    assert [made.rows[0], made.rows[2]] == here.rows
    bad = made.rows[1]
    assert (bad.finish, bad.code, bad.text, words in bad.reason) == ("failed", code, "", True), bad.reason
    assert bad.hint
    assert len(bad.reason) < 1000
    error = refused(lambda: remote.generate([row(seed=5)]))
    assert (error.code, error.message, error.hint) == (code, bad.reason, bad.hint)


@pytest.mark.parametrize("status", [401, 302])
def test_what_is_wrong_with_all_requests_fails_them_together(remote, fake, status):
    fake.faults |= {"status": (status, "no"), "seed": 5}
    assert refused(lambda: remote.generate([row(), row(seed=5)])).code == "BAD_CONFIG"


def test_rows_that_a_busy_server_turns_away_are_asked_for_again(remote, engine, fake):
    rows = [row(prompt=word) for word in "abcd"]
    fake.faults["busy"] = 3
    assert remote.generate(rows).rows == engine.generate(rows).rows
    assert len(fake.streamed()) == 7
    fake.faults["busy"] = 4
    assert refused(lambda: remote.generate(rows)).code == "NOT_READY"


def test_a_text_that_is_lost_on_the_way_is_asked_for_again_unless_somebody_has_heard_it(remote, engine, fake):
    rows = [row(), row(seed=5)]
    fake.faults |= {"reset": 2, "seed": 5}
    heard = []
    assert refused(lambda: remote.generate(rows, lambda *piece: heard.append(piece))).code == "NOT_READY"
    assert 1 in {number for number, _ in heard}
    assert refused(lambda: remote.generate(rows)).code == "NOT_READY"
    fake.faults["once"] = True
    assert remote.generate(rows).rows == engine.generate(rows).rows
    assert "reset" not in fake.faults


@pytest.mark.parametrize(
    ("text", "finish", "kept"),
    [
        ('{"b": 2.0, "a": 1}', "stop", True),
        ('{"b": 2.0, "\\u0061": 1', "length", True),
        ('{"b": 2.5, "a"', "length", False),
        ("Sure! Here", "length", False),
        ('{"b": 2', "stop", False),
    ],
)
def test_a_cut_text_must_begin_its_form_and_a_whole_one_have_it(remote, fake, text, finish, kept):
    fake.faults["raw"] = ("text/event-stream", events(text, finish=finish))
    wanted = row(schema=SCHEMA, max_tokens=40)
    if kept:
        assert remote.generate([wanted]).rows[0].text == text
    else:
        assert "form" in refused(lambda: remote.generate([wanted])).message


@pytest.mark.parametrize(
    ("pieces", "text"),
    [(["a", "b", "cd", "e"], "ab"), (["a", "bcd"], "ab"), (["ab"], "ab"), (["a", "x", "b"], None), (["abc"], "ab")],
)
def test_a_text_ends_where_its_grammar_does_though_the_server_goes_on(remote, fake, pieces, text):
    fake.faults["raw"] = ("text/event-stream", events(*pieces, finish="length"))
    wanted, heard = row(grammar='start: "ab"'), []
    if text is None:
        assert "form" in refused(lambda: remote.generate([wanted])).message
        return
    (made,) = remote.generate([wanted], lambda _, piece: heard.append(piece)).rows
    assert (made.text, "".join(heard)) == (text, text)
    assert made.finish == ("stop" if "".join(pieces) != text else "length")


def test_what_the_server_does_not_count_is_counted_here(remote, engine, fake):
    here = engine.generate([row()])
    fake.faults["usage"] = None
    there = remote.generate([row()])
    assert there.prompt_tokens == here.prompt_tokens
    assert there.rows[0].tokens >= here.rows[0].tokens
    fake.faults["raw"] = ("text/event-stream", events("four", finish="length"))
    assert remote.generate([row()]).rows[0].tokens == 4


def test_nothing_comes_after_the_end(remote):
    texts = Texts([remote.generator.words.job(row(), remote.generator.words.prompt(row()), {"model": NAME})])
    chunk = Chunk(choices=[Choice(text="a", finish_reason="stop")])
    assert texts.take(chunk) == [(0, "a")]
    assert "after its end" in refused(lambda: texts.take(chunk)).message
