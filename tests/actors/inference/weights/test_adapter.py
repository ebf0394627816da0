"""Adapters that others take in silence, and that are refused here by name, while all serves as before."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from peft import LoraConfig

from actors.inference.weights import adapter as foreign
from actors.inference.weights.adapter import read_adapter
from actors.inference.weights.lora import Shape
from protocol.errors import BatosError
from protocol.messages import Row, Sampling

KEY = "base_model.model.model.layers.1.mlp.up_proj.lora_B.weight"
OTHER_BASE = "0" * 64


@pytest.fixture(scope="module")
def engine(load):
    return load(rank=8)


def half(weights):
    return dict(list(weights.items())[::2])


def renamed(weights):
    return {key.replace("self_attn", "attention"): value for key, value in weights.items()}


def unprefixed(weights):
    return {key.removeprefix("base_model.model."): value for key, value in weights.items()}


def one(make):
    """Changes one matrix."""
    return lambda weights: weights | {KEY: make(weights[KEY])}


def with_number(number):
    def put(matrix):
        matrix[3, 1] = number
        return matrix

    return one(put)


def also(key):
    return lambda weights: weights | {key: torch.zeros(3, 3)}


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (half, "lacks 14 of 28"),
        (renamed, "attention"),
        (unprefixed, "lacks 28 of 28"),
        (lambda weights: {key: value for key, value in weights.items() if key != KEY}, KEY),
        (lambda weights: {key: value for key, value in weights.items() if "layers.1" not in key}, "lacks 14 of 28"),
        (one(lambda matrix: matrix.t().contiguous()), "shape [4, 64]"),
        (one(lambda matrix: matrix[:, :2].contiguous()), "shape [64, 2]"),
        (one(lambda matrix: matrix[None].contiguous()), "shape [1, 64, 4]"),
        (one(lambda matrix: matrix.to(torch.int32)), "I32"),
        (one(lambda matrix: matrix.to(torch.float8_e4m3fn)), "no float"),
        (with_number(float("nan")), "not finite"),
        (with_number(float("inf")), "not finite"),
        (with_number(-3e38), "too large"),
        (also(KEY.replace("lora_B.weight", "lora_magnitude_vector")), "lora_magnitude_vector"),
        (also("base_model.model.lm_head.weight"), "lm_head"),
        (also("base_model.model.model.embed_tokens.lora_embedding_A"), "lora_embedding_A"),
        (also(KEY.replace("weight", "bias")), "lora_B.bias"),
    ],
)
def test_weights_that_are_not_what_the_configuration_means(engine, adapter, change, taken, work, said):  # noqa: PLR0917
    content = taken(engine, "good", adapter("good", seed=1))
    rows = [Row(prompt="a", expert=name, sampling=Sampling(temperature=0), max_tokens=9) for name in (None, "good")]
    before = engine.generate(rows, experts={"good": content}).rows
    error = refusal(lambda: taken(engine, "bad", change(adapter("bad", seed=2, lora_alpha=40), work)))
    assert said in error.message
    assert engine.generate(rows, experts={"good": content}).rows == before


@pytest.mark.parametrize(
    ("said", "changes"),
    [
        ("use_dora", {"use_dora": True}),
        ("bias", {"bias": "all"}),
        ("modules_to_save", {"modules_to_save": ["lm_head"]}),
        ("trainable_token_indices", {"trainable_token_indices": [1]}),
        ("0 alora_invocation_tokens", {"alora_invocation_tokens": []}),
        ("257 alora_invocation_tokens", {"alora_invocation_tokens": [1] * 257}),
        ("257 in alora_invocation_tokens", {"alora_invocation_tokens": [1, 257]}),
        ("-1 in alora_invocation_tokens", {"alora_invocation_tokens": [-1]}),
        ("$.alora_invocation_tokens", {"alora_invocation_tokens": 5}),
        ("$.alora_invocation_tokens", {"alora_invocation_tokens": ["a"]}),
        ("$.alora_invocation_tokens", {"alora_invocation_tokens": [True]}),
        ("use_dora", {"use_dora": True, "alora_invocation_tokens": [1, 2]}),
        ("layer_replication", {"layer_replication": [[0, 2]]}),
        ("target_parameters", {"target_parameters": ["x"]}),
        ("lora_bias", {"lora_bias": True}),
        ("use_qalora", {"use_qalora": True}),
        ("init_lora_weights", {"init_lora_weights": "pissa"}),
        ("loftq_config", {"loftq_config": {"loftq_bits": 4}}),
        ("invented_tomorrow", {"invented_tomorrow": True}),
        ("peft_type", {"peft_type": "IA3"}),
        ("peft_type", {"peft_type": None}),
        ("shape", {"r": 8}),
        ("inference.rank", {"r": 9}),
        ("inference.rank", {"rank_pattern": {"up_proj": 64}}),
        ("shape", {"rank_pattern": {"up_proj": 2}}),
        ("rank under 1", {"r": 0}),
        ("rank under 1", {"rank_pattern": {"up_proj": 0}}),
        ("`$.r`", {"r": "four"}),
        ("target_modules", {"target_modules": None}),
        ("'c_attn'", {"target_modules": ["q_proj", "c_attn"]}),
        ("'lm_head'", {"target_modules": ["q_proj", "lm_head"]}),
        ("'embed_tokens'", {"target_modules": ["embed_tokens"]}),
        ("no linear", {"target_modules": []}),
        ("no linear", {"target_modules": "nothing.*"}),
        ("pattern", {"target_modules": "(("}),
        ("pattern", {"rank_pattern": {"((": 4}}),
        ("account for", {"target_modules": ["q_proj"]}),
        ("base model", {"base_model_digest": OTHER_BASE}),
    ],
)
def test_configurations_that_mean_something_else(engine, adapter, taken, said, changes):
    folder = adapter("bad")
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    assert said in refusal(lambda: taken(engine, "bad", folder)).message


def test_the_weights_may_tell_their_base_model(engine, adapter, change, taken):
    folder = adapter("told")
    taken(engine, "told", change(folder, lambda weights: None, base_model_digest=engine.tiers.layout.base_model))
    change(folder, lambda weights: None, base_model_digest=OTHER_BASE)
    assert OTHER_BASE[:12] in refusal(lambda: taken(engine, "told", folder)).message


def truncate(path):
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: truncate(folder / "adapter_model.safetensors"), "is it whole"),
        (lambda folder: (folder / "adapter_model.safetensors").write_bytes(b""), "is it whole"),
        (lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"\xff" * 64), "is it whole"),
        (lambda folder: (folder / "adapter_model.safetensors").unlink(), "no adapter_model.safetensors"),
        (lambda folder: (folder / "adapter_config.json").unlink(), "cannot be read"),
        (lambda folder: (folder / "adapter_config.json").write_text("{"), "no configuration"),
        (lambda folder: (folder / "adapter_config.json").write_text("[1]"), "no configuration"),
        (lambda folder: (folder / "adapter_config.json").write_bytes(b"\xff\xfe"), "no configuration"),
        (lambda folder: (folder / "adapter_config.json").write_bytes(b" " * 2_000_000), "longer"),
    ],
)
def test_files_that_are_broken(engine, adapter, taken, spoil, said):
    folder = adapter("bad")
    spoil(folder)
    assert said in refusal(lambda: taken(engine, "bad", folder)).message


def test_the_file_itself_may_be_named_and_nothing_else(engine, adapter, taken, tmp_path):
    folder = adapter("brick")
    other = folder / "other.safetensors"
    shutil.copy(folder / "adapter_model.safetensors", other)
    assert taken(engine, "a", folder).sha256 == taken(engine, "b", other).sha256
    assert "no .safetensors" in refusal(lambda: taken(engine, "c", folder / "adapter_config.json")).message
    with pytest.raises(BatosError) as caught:
        taken(engine, "c", tmp_path / "nothing")
    assert caught.value.code == "UNREADABLE"


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_every_type_of_float_comes_in(engine, adapter, change, taken, kind):
    folder = adapter("brick")
    taken(engine, "a", change(folder, lambda weights: {key: value.to(kind) for key, value in weights.items()}))


def test_every_setting_of_this_peft_is_known_or_refused(adapter):
    """What PEFT writes by default must pass, whatever else it learns to write."""
    said = json.loads((adapter("brick") / "adapter_config.json").read_text())
    foreign._check_features(said)
    assert set(LoraConfig().to_dict()) >= {"use_dora", "modules_to_save", "alora_invocation_tokens", "bias"}


def test_scaling_is_in_b_alone(engine, adapter):
    shapes = engine.tiers.layout.shapes
    once, twice = (
        read_adapter(adapter(name, seed=3, lora_alpha=alpha), shapes, rank=8, base_model="x")
        for name, alpha in (("once", 4), ("twice", 8))
    )
    for name in shapes:
        assert torch.equal(once.pairs[name].a, twice.pairs[name].a)
        assert torch.equal(once.pairs[name].b * 2, twice.pairs[name].b)
    assert shapes["model.layers.0.mlp.down_proj"] == Shape(64, 32)


def test_an_invocation_is_taken_as_it_stands(engine, adapter):
    shapes = engine.tiers.layout.shapes
    plain, late = (
        read_adapter(adapter(name, **config), shapes, rank=8, base_model="x")
        for name, config in (("plain", {}), ("late", {"alora_invocation_tokens": [7, 7, 256]}))
    )
    assert (plain.invocation, late.invocation) == ((), (7, 7, 256))


def refusal(work):
    with pytest.raises(BatosError) as caught:
        work()
    assert caught.value.code == "BAD_EXPERT"
    assert caught.value.hint
    return caught.value
