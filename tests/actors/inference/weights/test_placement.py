"""Activated LoRA: PEFT is the oracle, on a tiny model in float32; what comes before an invocation is the base model's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import PeftModel
from transformers import LlamaForCausalLM

from actors.inference.decoding import decoding
from actors.inference.decoding.prefixes import BLOCK
from actors.inference.weights.expert import Content
from actors.inference.weights.placement import Lent, lend
from protocol.errors import BatosError
from protocol.messages import Row, Sampling

from ..conftest import load as load_from

# PEFT asks this transformers a question under its old name.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")

SIZE = BLOCK["cpu"]
STOP = 256
LONG = 8
INVOCATIONS = {"first": "aa", "second": "ab", "plain": ""}
NAMES = [None, *INVOCATIONS]
STORY = ("the keeper of the light counts the ships. " * 4)[: 2 * SIZE]


class Twin:
    """One engine and PEFT, with the same three experts, two of them aLoRA ones."""

    def __init__(self, engine, contents, folders, tiny):
        self.engine = engine
        self.contents = contents
        self.spelt = lambda text: tuple(engine.generator.tokenizer(text)["input_ids"])
        (name, folder), *rest = folders.items()
        base = LlamaForCausalLM.from_pretrained(tiny, dtype=torch.float32)
        self._peft = PeftModel.from_pretrained(base, folder, adapter_name=name, autocast_adapter_dtype=False)
        for other, place in rest:
            self._peft.load_adapter(place, adapter_name=other, autocast_adapter_dtype=False)
        self._peft.eval()

    def texts(self, *asked, engine=None):
        """What the engine says of (prompt, expert), in one batch."""
        return self.told(*asked, engine=engine)[0]

    def told(self, *asked, engine=None):
        """The same, and how many tokens of the prompts were read for it."""
        rows = [
            Row(prompt=prompt, expert=name, max_tokens=LONG, sampling=Sampling(temperature=0)) for prompt, name in asked
        ]
        inferred = (engine or self.engine).generate(rows, experts=self.contents)
        return [row.text for row in inferred.rows], inferred.prompt_tokens

    def oracle(self, *asked):
        """What PEFT says of prompts of one length."""
        ids = torch.tensor([self.spelt(prompt) for prompt, _ in asked])
        names = [name or "__base__" for _, name in asked]
        said = self._peft.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            adapter_names=names,
            do_sample=False,
            max_new_tokens=LONG,
            pad_token_id=STOP,
            eos_token_id=STOP,
        )
        return [self._text(row[ids.shape[1] :].tolist()) for row in said]

    def first_logits(self, *asked):
        """Ours and PEFT's, of the token after each prompt; the prompts are of one length."""
        engine = self.engine
        with engine.tiers.hold([content for _, name in asked if (content := self.contents.get(name))]) as slots:
            rows = [self._row(slots, number, prompt, name) for number, (prompt, name) in enumerate(asked)]
            with torch.inference_mode():
                batch = decoding._Batch(
                    engine.generator.model, engine.generator.bank, engine.generator.prefixes, rows, lambda: False
                )
            engine.generator.bank.serve(())
        ids = torch.tensor([self.spelt(prompt) for prompt, _ in asked])
        with torch.inference_mode():
            theirs = self._peft(ids, adapter_names=[name or "__base__" for _, name in asked]).logits[:, -1]
        return batch.logits, theirs.numpy()

    def _row(self, slots, number, prompt, name):
        tokens = self.spelt(prompt)
        job = decoding.Job(tokens, LONG, 0.0, 1.0, 0, None)
        lent = lend(self.contents.get(name), slots, tokens)
        return decoding._Row(number, job, lent, frozenset({STOP}), self.engine.generator.vocabulary)

    def _text(self, tokens):
        said = tokens[: tokens.index(STOP)] if STOP in tokens else tokens
        return self.engine.generator.vocabulary.decode(said).decode(errors="replace")


@pytest.fixture(scope="module")
def twin(load, saved, tiny, tmp_path_factory):
    engine, top = load(slots=3, rank=4), tmp_path_factory.mktemp("lent")
    contents, folders = {}, {}
    for seed, (name, words) in enumerate(INVOCATIONS.items(), 1):
        config = {"lora_alpha": 16, "alora_invocation_tokens": engine.generator.tokenizer(words)["input_ids"] or None}
        folders[name] = saved(seed, repr(config))
        made = engine.convert(folders[name], top / name)
        contents[name] = Content(name, made.sha256, made.base_model, made.rank, made.bytes, top / name, made.invocation)
    return Twin(engine, contents, folders, tiny)


@pytest.fixture(scope="module")
def fine(load, twin):
    """An engine whose blocks are of eight tokens, so that a short prompt has many borders."""
    return finely(load(slots=3, rank=4))


def finely(engine):
    engine.generator.prefixes.block = 8
    return engine


CONTENT = Content("late", "c0", "ba5e", 4, 1, Path("nowhere"))


@given(st.binary(max_size=30), st.binary(max_size=3))
def test_an_expert_begins_where_its_invocation_does_for_the_last_time(prompt, invocation):
    # Over few bytes, so that they meet.
    prompt, invocation = (bytes(byte % 2 for byte in text) for text in (prompt, invocation))
    lent = lend(CONTENT._replace(invocation=tuple(invocation)), {"c0": 3}, tuple(prompt))
    found = prompt.rfind(invocation) if invocation else 0
    assert lent == (None if found < 0 else Lent(3, "c0", found))
    assert lend(None, {}, tuple(prompt)) is None


@pytest.mark.parametrize(
    "prompt",
    [
        "nothing of it",
        "aa",
        "aa from the start",
        "at the very end aa",
        "once aa and again aa, then more",
        "aaaa",
        STORY[: SIZE - 1] + "aa" + STORY[:9],
        STORY[:SIZE] + "aa" + STORY[:9],
        STORY[: SIZE - 2] + "aa" + STORY[:9],
        STORY[: SIZE + 7] + "aa",
        STORY[:9] + "aa" + STORY[: SIZE + 20],
        STORY[:9] + "aa" + STORY[:SIZE] + "aa" + STORY[:9],
    ],
)
def test_logits_and_texts_are_those_of_peft(twin, prompt):
    asked = [(prompt, name) for name in NAMES]
    ours, theirs = twin.first_logits(*asked)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    assert np.abs(ours[0] - ours[3]).max() > 0.01
    assert (np.abs(ours[0] - ours[1]).max() > 0.01) == ("aa" in prompt)
    assert twin.texts(*asked) == twin.oracle(*asked)


@settings(max_examples=15)
@given(st.lists(st.tuples(st.text("ab ", min_size=1, max_size=40), st.sampled_from(NAMES)), min_size=1, max_size=5))
def test_every_row_of_a_mixed_batch_says_what_peft_says(fine, twin, asked):
    """In blocks of eight, whatever was read before."""
    assert twin.texts(*asked, engine=fine) == [twin.oracle(one)[0] for one in asked]


@settings(max_examples=10)
@given(st.lists(st.tuples(st.text("ab ", min_size=9, max_size=40), st.sampled_from(NAMES)), min_size=1, max_size=4))
def test_what_is_kept_changes_no_bit(load, twin, asked):
    """The same prefix, from an engine that has read all of these before and from one that keeps nothing."""
    keeping, forgetting = finely(load(slots=3, rank=4)), finely(load(slots=3, rank=4, prefix_bytes=1))
    twin.told(*asked, engine=keeping)
    for prompt, name in asked:
        tokens = twin.spelt(prompt)
        kept, fresh = (prefix(engine, twin.contents.get(name), tokens) for engine in (keeping, forgetting))
        assert (kept.length, kept.computed, fresh.computed) == (fresh.length, 0, fresh.length)
        assert same(kept.layers, fresh.layers)


def prefix(engine, content, tokens):
    with torch.inference_mode(), engine.tiers.hold([] if content is None else [content]) as slots:
        try:
            return engine.generator.prefixes.read(lend(content, slots, tokens), tokens, lambda: False)
        finally:
            engine.generator.bank.serve(())


def same(layers, others):
    return all(
        torch.equal(one, other) for pair in zip(layers, others, strict=True) for one, other in zip(*pair, strict=True)
    )


def test_what_comes_before_an_invocation_is_the_base_models_bit_for_bit(load, twin):
    fine = finely(load())
    tokens = twin.spelt(STORY[:29] + "aa" + STORY[:20])
    base, late, plain = (prefix(fine, twin.contents.get(name), tokens) for name in (None, "first", "plain"))
    assert (base.length, late.length) == (48, 45)

    def beginning(one):
        return [(keys[:, :, :24], values[:, :, :24]) for keys, values in one.layers]

    assert same(beginning(late), beginning(base))
    assert not same(beginning(plain), beginning(base))
    assert late.computed == 45 - 24
    again = prefix(fine, twin.contents["first"], (*tokens[:29], *tokens[29:45], 7))
    assert (again.length, again.computed) == (45, 0)


def test_a_row_without_the_invocation_is_the_base_models_own(load, twin):
    fine = finely(load())
    (base, late), read = twin.told(("nothing of it", None), ("nothing of it", "first"), engine=fine)
    assert (late, read) == (base, len("nothing of it"))


def test_a_beginning_is_shared_with_the_base_model_and_by_all_that_begin_later(load, twin):
    engine = load(slots=3, rank=4)
    own = " b c"
    beginning = STORY[: SIZE + 6]
    assert twin.told((beginning + own, None), engine=engine)[1] == len(beginning + own)
    # What lies between the last whole block and the invocation is read once more, and kept as well.
    assert twin.told((beginning + "aa" + own, "first"), engine=engine)[1] == len(beginning + "aa" + own) - SIZE
    assert twin.told((beginning + "ab" + own, "second"), engine=engine)[1] == len("ab" + own)
    assert twin.told((beginning + own, "plain"), engine=engine)[1] == len(beginning + own)
    fresh = load(slots=3, rank=4)
    asked = [(beginning + "aa" + own, "first"), (beginning + "ab" + own, "second"), (beginning + own, None)]
    texts, read = twin.told(*asked, engine=fresh)
    assert read == len(beginning) + 2 * len("aa" + own) + len(beginning + own) - SIZE
    assert texts == [twin.texts(one, engine=engine)[0] for one in asked]


def test_one_prompt_within_another_is_not_taken_for_it(load, twin):
    """The second invocation gives back to the base model what the expert has read after the first."""
    fine = finely(load())
    once, twice = STORY[:8] + "aa" + STORY[:30], STORY[:8] + "aa" + STORY[:30] + "aa."
    alone = twin.texts((twice, "first"), engine=fine)
    twin.texts((once, "first"), engine=fine)
    assert twin.texts((twice, "first"), engine=fine) == alone == twin.oracle((twice, "first"))
    assert twin.texts((once, "first"), engine=fine) == twin.oracle((once, "first"))


def test_what_a_row_says_invokes_nothing(fine, twin):
    """Neither does a form that forces the invocation: the prompt has come before it."""
    rows = [
        Row(prompt="b", expert=name, max_tokens=9, sampling=Sampling(temperature=0), grammar='start: "aa" /[a-z ]{7}/')
        for name in (None, "first")
    ]
    base, late = fine.generate(rows, experts=twin.contents).rows
    assert base.text.startswith("aa")
    assert late == base


def test_a_model_that_forgets_takes_no_alora_expert(tiny, adapter, tmp_path):
    folder = shutil.copytree(tiny, tmp_path / "forgetful")
    config = json.loads((folder / "config.json").read_text())
    config |= {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "sliding_window": 16}
    (folder / "config.json").write_text(json.dumps(config))
    engine = load_from(folder, dtype="float32")
    engine.convert(adapter("plain"), tmp_path / "plain.expert")
    with pytest.raises(BatosError) as caught:
        engine.convert(adapter("late", alora_invocation_tokens=[7]), tmp_path / "late.expert")
    assert (caught.value.code, "alora_invocation_tokens" in caught.value.message) == ("BAD_EXPERT", True)
    with pytest.raises(RuntimeError, match="cannot be divided"):
        engine.generator.prefixes.read(Lent(0, "c0", 3), (1, 2, 3, 4, 5), lambda: False)
