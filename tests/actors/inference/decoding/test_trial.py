"""Which models are taken: each says in rows what transformers says of it alone, or is refused by name."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from actors.inference.decoding.decoding import heard
from actors.inference.engine import prove, serve
from actors.inference.model import incarnation
from protocol.errors import BatosError
from protocol.home import Inference
from protocol.messages import Row, Sampling

from ..kinds import LONGROPE, REFUSED, SERVED, WINDOW, model_folder

LENGTHS = (100, 70, 9)
"""Of prompts: beyond a block by unlike ends, and a short one; all but the last are longer than any window here."""
GIVEN = 3


def tried(folder, target, dtype="float32"):
    """The engine of a folder's model, as at a first start."""
    manifest = incarnation.convert(incarnation.find(str(folder), dtype), target, dtype)
    loaded = incarnation.load({name: target / name for name in manifest.files}, dtype=dtype)
    with incarnation.readable("the model cannot be served"):
        engine = serve(loaded, Inference(), manifest.digest)
        prove(engine)
    return engine


def tokens(number, seed):
    return tuple(np.random.default_rng(seed).integers(0, 256, number).tolist())


def furthest(engine, folder, lengths=LENGTHS):
    """How far rows are from what transformers says to each alone in one pass, in deviations of its numbers."""
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    texts = [(tokens(length, length), tokens(GIVEN, length + 1)) for length in lengths]
    worst = 0.0
    for (prompt, given), ours in zip(
        texts, heard(engine.generator.model, engine.generator.bank, engine.generator.prefixes, texts), strict=True
    ):
        with torch.inference_mode():
            theirs = plain(input_ids=torch.tensor([[*prompt, *given]]), use_cache=False).logits[0, -GIVEN - 1 :]
        worst = max(worst, float(np.abs(ours - theirs.numpy()).max() / theirs.std()))
    return worst


@pytest.mark.parametrize("kind", SERVED)
def test_a_model_is_served_as_transformers_has_it(tmp_path, kind):
    assert min(LENGTHS[:-1]) > 2 * WINDOW
    folder = model_folder(tmp_path / "model", kind, **SERVED[kind])
    assert furthest(tried(folder, tmp_path / "kept"), folder) < 1e-3


@pytest.mark.parametrize("kind", REFUSED)
def test_a_model_that_cannot_be_served_is_refused_by_name(tmp_path, kind):
    changes, why = REFUSED[kind]
    folder = model_folder(tmp_path / "model", kind, **changes)
    with pytest.raises(BatosError) as caught:
        tried(folder, tmp_path / "kept")
    assert (caught.value.code, why in caught.value.message) == ("BAD_MODEL", True), caught.value.message
    assert "[inference]" in caught.value.hint


@pytest.mark.parametrize("kind", ["Lfm2", "FalconH1", "Mamba2", "Mistral", "GPTNeo"])
def test_rows_that_leave_a_batch_leave_the_others_as_they_are(tmp_path, kind):
    engine = tried(model_folder(tmp_path / "model", kind, **SERVED[kind]), tmp_path / "kept")
    rows = [
        Row(prompt=prompt, max_tokens=limit, seed=limit, sampling=Sampling(temperature=1, top_p=1))
        for prompt, limit in (("a", 2), ("the light " * 9, 24), ("a", 9), ("ships", 24))
    ]
    together = [row.text for row in engine.generate(rows).rows]
    assert together == [engine.generate([row]).rows[0].text for row in rows]


def test_a_context_ends_where_longrope_would_turn_what_was_read_before(tmp_path):
    folder = model_folder(tmp_path / "model", "Phi3", **LONGROPE)
    engine = tried(folder, tmp_path / "kept")
    assert engine.stats()["context"] == 128
    assert furthest(engine, folder) < 1e-3


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("kind", ["Mixtral", "Qwen3Moe", "GptOss"])
def test_experts_that_are_chosen_by_rounded_numbers_are_no_reason_to_refuse(tmp_path, kind, dtype):
    tried(model_folder(tmp_path / "model", kind, seed=1, **SERVED[kind]), tmp_path / "kept", dtype)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("kind", ["Bert", "Bart"])
def test_rounding_hides_no_model_that_is_to_be_refused(tmp_path, kind, dtype):
    folder = model_folder(tmp_path / "model", kind, seed=1, **REFUSED[kind][0])
    with pytest.raises(BatosError, match=REFUSED[kind][1]):
        tried(folder, tmp_path / "kept", dtype)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", ["GPTNeo", "Mpt"])
def test_the_trial_hears_columns_between_a_row_and_its_block(tmp_path, kind, dtype):
    engine = tried(model_folder(tmp_path / "model", kind, **SERVED[kind]), tmp_path / "kept", dtype)
    engine.generator.prefixes.divides = True
    with pytest.raises(BatosError, match="says something else in a batch of rows than alone"):
        prove(engine)


@pytest.mark.parametrize(("factor", "why"), [(0.0, "all words alike"), (1e37, "not finite")])
def test_numbers_that_say_nothing_are_refused(tmp_path, factor, why):
    folder = model_folder(tmp_path / "model", "Llama")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        model.lm_head.weight.mul_(factor)
        model.model.norm.weight.mul_(10)
    model.save_pretrained(folder)
    with pytest.raises(BatosError, match=why):
        tried(folder, tmp_path / "kept")


@pytest.mark.parametrize(("context", "why"), [(5, "5 tokens at most"), (16, None)])
def test_a_model_needs_room_to_talk(tmp_path, context, why):
    folder = model_folder(tmp_path / "model", "Llama", max_position_embeddings=context)
    if why is None:
        assert tried(folder, tmp_path / "kept").stats()["context"] == context
    else:
        with pytest.raises(BatosError, match=why):
            tried(folder, tmp_path / "kept")
