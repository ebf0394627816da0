"""Which tokens are learned, and in which order."""

from __future__ import annotations

import pytest
from transformers import AutoTokenizer

from actors.inference.training.dataset import Dialogue
from actors.inference.training.samples import Sample, batches, from_dialogues, from_text, split
from protocol.errors import BatosError
from protocol.messages import Turn

STOP = (256,)


@pytest.fixture(scope="module")
def tokenizer(tiny):
    return AutoTokenizer.from_pretrained(tiny)


def dialogue(*texts, line=1):
    roles = ("user", "assistant") * len(texts)
    return Dialogue(line, [Turn(role=role, content=text) for role, text in zip(roles, texts, strict=False)])


def parts(tokenizer, sample):
    """The learned and the other text."""
    pairs = list(zip(sample.tokens, sample.learned, strict=True))
    return tuple(tokenizer.decode([token for token, learned in pairs if learned is kind]) for kind in (True, False))


def test_only_the_assistants_tokens_are_learned(tokenizer):
    (sample,), cut = from_dialogues(tokenizer, [dialogue("ab", "cd", "ef", "gh", "ij")], 500, STOP)
    assert cut == 0
    assert tokenizer.decode(sample.tokens) == "<user>ab</><assistant>cd</><user>ef</><assistant>gh</>"
    assert parts(tokenizer, sample) == ("cd</>gh</>", "<user>ab</><assistant><user>ef</><assistant>")


def test_a_prompt_is_cut_into_the_tokens_that_inference_would_see(engine, tokenizer):
    from protocol.messages import Row

    talk = dialogue("ab", "cd")
    (sample,), _ = from_dialogues(tokenizer, [talk], 500, STOP)
    prompt = engine.generator.prompts.tokens(Row(turns=talk.turns[:1]))
    assert sample.tokens[: len(prompt)] == prompt
    assert sample.learned.index(True) == len(prompt)


def test_nothing_is_learned_behind_the_token_that_ends_a_turn(tokenizer, monkeypatch):
    monkeypatch.setattr(tokenizer, "chat_template", tokenizer.chat_template.replace("</>", "<end>\n"))
    (sample,), _ = from_dialogues(tokenizer, [dialogue("ab", "cd")], 500, STOP)
    assert parts(tokenizer, sample) == ("cd<end>", "<user>ab<end>\n<assistant>\n")


def test_a_long_row_is_cut_and_counted_and_refused_where_nothing_is_left(tokenizer):
    long = dialogue("a", "b" * 50, line=4)
    (sample,), cut = from_dialogues(tokenizer, [long], 30, STOP)
    assert (len(sample.tokens), cut) == (30, 1)
    with pytest.raises(BatosError, match="line 4") as caught:
        from_dialogues(tokenizer, [dialogue("a" * 50, "b", line=4)], 30, STOP)
    assert (caught.value.code, caught.value.data["line"]) == ("BAD_DOCUMENT", 4)


@pytest.mark.parametrize(
    ("template", "said"), [("{{ raise_exception('no') }}", "refuses"), ("{{ messages | length }}", "anew")]
)
def test_a_template_that_does_not_fit(tokenizer, monkeypatch, template, said):
    monkeypatch.setattr(tokenizer, "chat_template", template)
    with pytest.raises(BatosError, match=said):
        from_dialogues(tokenizer, [dialogue("a", "b", "c", "d")], 99, STOP)


def test_a_text_comes_in_windows(tokenizer):
    samples = from_text(tokenizer, "abcdefg", 3)
    assert [tokenizer.decode(sample.tokens) for sample in samples] == ["abc", "def"]
    assert samples[0].learned == (False, True, True)
    with pytest.raises(BatosError, match="single token"):
        from_text(tokenizer, "a", 3)


def made(*lengths):
    return [Sample((number,) * length, (False, *(True,) * (length - 1))) for number, length in enumerate(lengths)]


def test_a_tenth_is_held_out_and_the_seed_says_which():
    samples = made(*range(2, 42))
    trained, held_out = split(samples, 3)
    assert (len(trained), len(held_out)) == (36, 4)
    assert sorted([*trained, *held_out]) == sorted(samples)
    assert split(samples, 3) == (trained, held_out)
    assert split(samples, 4) != (trained, held_out)
    assert split(samples[:1], 3) == (samples[:1], [])
    assert [len(part) for part in split(samples[:2], 3)] == [1, 1]


def test_an_epoch_has_every_sample_once_in_batches_that_are_small_enough():
    samples = made(*([5, 9, 3, 20, 7] * 4))
    first, second = (batches(samples, 25, 1, epoch) for epoch in (0, 1))
    for epoch in (first, second):
        assert sorted(sample for batch in epoch for sample in batch) == sorted(samples)
        assert all(max(len(one.tokens) for one in batch) * len(batch) <= 25 for batch in epoch)
    assert first != second
    assert first == batches(samples, 25, 1, 0)
    assert batches(made(30), 25, 1, 0) == [made(30)]
