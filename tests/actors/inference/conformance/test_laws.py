"""What holds of texts, whoever generates them: this machine, or a model server of any kind."""

from __future__ import annotations

import json
import math

import pytest

from actors.inference.forms.constraints import Form
from protocol.errors import BatosError
from protocol.messages import Row, Sampling, Turn

GREEDY = Sampling(temperature=0)
HOT = Sampling(temperature=1.5, top_p=1)
GRAMMAR = 'start: "say " WORD "."\nWORD: /[a-z]{2,5}/'
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "boolean"}, "b": {"enum": ["x", "y"]}},
    "required": ["a", "b"],
    "additionalProperties": False,
}
TALK = [Turn(role="system", content="You count."), Turn(role="user", content="one, two,")]
WORDS = 300_000
"""Of a vocabulary, at most."""


def row(limit=24, sampling=GREEDY, **more):
    return Row(**({"turns": TALK, "max_tokens": limit, "sampling": sampling} | more))


def refused(work):
    with pytest.raises(BatosError) as caught:
        work()
    assert caught.value.hint
    return caught.value


def literally(serving, word):
    """The form of one text alone, in whichever way binds there."""
    if serving.generator.abilities.grammar != "none":
        return {"grammar": f'start: "{word}"'}, word
    return {"schema": {"enum": [word]}}, json.dumps(word)


def test_it_says_what_it_can_do(serving):
    abilities = serving.generator.abilities
    stats = serving.stats()
    assert stats["grammars"] == (abilities.grammar != "none")
    assert stats["abilities"]["texts"] == abilities.texts >= 1
    for name, why in abilities.instead.items():
        assert getattr(abilities, name) in {"none", False}, name
        assert len(why) > 20
    lacking = {name for name in ("grammar", "schema", "likelihood", "lora") if getattr(abilities, name) == "none"}
    assert lacking <= set(abilities.instead)


def test_texts_come_in_the_order_of_their_rows(serving):
    wanted = [literally(serving, word) for word in ("one", "two", "three", "four", "five", "six")]
    made = serving.generate([row(limit=40, **form) for form, _ in wanted])
    assert [(one.text, one.finish) for one in made.rows] == [(text, "stop") for _, text in wanted]


def test_pieces_add_up_to_the_texts(serving):
    heard = {}
    rows = [row(seed=seed, sampling=HOT) for seed in range(5)] + [row(limit=3), row(turns=[], prompt="a, b,")]
    made = serving.generate(rows, lambda number, piece: heard.__setitem__(number, heard.get(number, "") + piece))
    assert [heard.get(number, "") for number in range(len(rows))] == [one.text for one in made.rows]
    assert sum(map(len, heard.values())) > 0


def test_what_is_stopped_keeps_what_it_had_and_the_next_is_served(serving):
    heard = []
    long = row(limit=90)
    whole = serving.generate([long]).rows[0]
    stopped = serving.generate([long], lambda _, piece: heard.append(piece), lambda: bool(heard)).rows[0]
    assert whole.text.startswith(stopped.text)
    assert (0 < len(stopped.text) < len(whole.text), stopped.finish) == (True, "length")
    assert serving.generate([long]).rows[0].text == whole.text
    assert serving.generate([long], should_stop=lambda: True).rows[0].text == ""


@pytest.mark.parametrize("form", [{"grammar": GRAMMAR}, {"schema": SCHEMA}], ids=["grammar", "schema"])
def test_a_form_is_kept_or_it_is_said_that_it_does_not_bind(serving, form):
    (name,) = form
    rows = [row(limit=60, seed=seed, sampling=HOT, **form) for seed in range(3)]
    if getattr(serving.generator.abilities, name) == "none":
        assert refused(lambda: serving.generate(rows)).code == "GENERATION_FAILED"
        return
    made = serving.generate(rows).rows
    kept = Form(form.get("schema"), form.get("grammar"))
    assert [(one.finish, kept.is_kept(one.text)) for one in made] == [("stop", True)] * 3, made
    cut = serving.generate([row(limit=2, **form)]).rows[0]
    assert (cut.finish, kept.is_begun(cut.text)) == ("length", True)


def test_a_form_that_nobody_can_keep_is_its_rows_own(serving):
    good, bad = serving.generate([row(limit=4), row(grammar="start: nothing")]).rows
    assert (good.finish in {"length", "stop"}, bad.finish, bad.code) == (True, "failed", "BAD_CONSTRAINT")


def test_likelihoods_are_told_where_it_can_tell_them(serving):
    greedy, free, unasked = serving.generate(
        [row(limit=8, scored=True), row(limit=8, scored=True, seed=3, sampling=HOT), row(limit=8)]
    ).rows
    assert unasked.logprob is None
    if serving.generator.abilities.likelihood == "none":
        assert (greedy.logprob, free.logprob) == (None, None)
        return
    assert math.isfinite(free.logprob)
    assert free.logprob <= 0
    # The likeliest of so many words has no smaller share than one of them.
    assert -(greedy.tokens + 1) * math.log(WORDS) <= greedy.logprob <= 0
    assert greedy.logprob / max(1, greedy.tokens) >= free.logprob / max(1, free.tokens) - 1e-3


def test_the_likeliest_text_is_the_same_again_and_a_seed_repeats_where_it_says_so(serving):
    rows = [row(), row(turns=[], prompt="one, two,")]
    first = [one.text for one in serving.generate(rows).rows]
    assert [one.text for one in serving.generate(rows).rows] == first
    hot = [serving.generate([row(seed=7, sampling=HOT)]).rows[0].text for _ in range(2)]
    assert len(set(hot)) == 1 or not serving.generator.abilities.seeds
    assert len({one.text for one in serving.generate([row(seed=n, sampling=HOT) for n in range(6)]).rows}) > 1


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_no_text_is_longer_than_it_may_be(serving, limit):
    made = serving.generate([row(limit=limit, seed=seed, sampling=HOT) for seed in range(5)]).rows
    assert all(one.tokens <= limit for one in made), made
    assert all(one.finish == "stop" or one.tokens == limit for one in made), made


def test_a_prompt_over_the_context_is_too_large_and_costs_no_other_row_its_text(serving):
    long = row(turns=[], prompt="ab " * 12_000)
    assert refused(lambda: serving.generate([long])).code == "TOO_LARGE"
    made = serving.generate([row(limit=4), long]).rows
    assert (made[0].finish in {"length", "stop"}, made[1].finish, made[1].code) == (True, "failed", "TOO_LARGE")


def test_a_prompt_is_counted_once_for_all_of_its_rows(serving):
    turns = [*TALK, Turn(role="assistant", content="three"), Turn(role="user", content="and then four, five?")]
    rows = [row(limit=3, turns=turns, seed=seed, sampling=HOT) for seed in range(6)]
    made = serving.generate(rows)
    words = sum(len(turn.content) for turn in turns)
    assert 0 < made.prompt_tokens <= words + 100
    assert [one.finish in {"length", "stop"} for one in made.rows] == [True] * 6
