from __future__ import annotations

import json
import os
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaForSequenceClassification, LlamaModel

from actors.inference.model import incarnation, kernels
from protocol.errors import BatosError

from ..kinds import SERVED, byte_tokenizer, model_folder


def refusal(work):
    with pytest.raises(BatosError) as caught:
        work()
    assert caught.value.hint
    return caught.value


def converted(folder, target):
    return incarnation.convert(incarnation.find(str(folder)), target)


def test_a_folder_is_converted_and_loads_again(tiny, tmp_path):
    manifest = converted(tiny, tmp_path / "out")
    assert {"config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"} <= set(manifest.files)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == list(manifest.files)
    loaded = incarnation.load({name: tmp_path / "out" / name for name in manifest.files})
    assert loaded.context == 128
    assert loaded.stop == (256,)
    assert (loaded.dtype, loaded.model.dtype) == (torch.bfloat16, kernels.faster(torch.bfloat16))


def test_the_digest_is_the_weights_and_nothing_else(tiny, tmp_path, monkeypatch):
    first = converted(tiny, tmp_path / "a")
    other = tmp_path / "other"
    shutil.copytree(tiny, other)
    config = json.loads((other / "generation_config.json").read_text())
    (other / "generation_config.json").write_text(json.dumps({**config, "eos_token_id": [256, 0]}))
    monkeypatch.setattr(incarnation, "_SHARD", "5KB")
    sharded = converted(other, tmp_path / "b")
    assert len(sharded.files) > len(first.files)
    assert sharded.digest == first.digest
    shard = min(other.glob("*.safetensors"))
    weights = load_file(shard)
    next(iter(weights.values())).view(-1)[0] += 1
    save_file(weights, shard, metadata={"format": "pt"})
    assert converted(other, tmp_path / "c").digest != first.digest


def test_the_name_of_a_source_follows_its_files(tiny, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(tiny, other)
    before = incarnation.find(str(other)).name
    assert incarnation.find(str(other)).name == before
    assert incarnation.find(str(other), "float32").name != before
    (other / "config.json").write_text((other / "config.json").read_text() + "\n")
    assert incarnation.find(str(other)).name != before


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def drop_a_weight(folder):
    """The index and its shard agree that one weight is not there."""
    from safetensors.torch import load_file, save_file

    index = json.loads((folder / "model.safetensors.index.json").read_text())
    name = "model.norm.weight"
    shard = folder / index["weight_map"].pop(name)
    weights = load_file(shard)
    del weights[name]
    save_file(weights, shard, metadata={"format": "pt"})
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (shutil.rmtree, "no model at"),
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "no tokenizer"),
        (lambda folder: max(folder.glob("*.safetensors")).unlink(), "shards"),
        (lambda folder: (folder / "model.safetensors.index.json").write_text("[]"), "no index of shards"),
        (lambda folder: truncate(min(folder.glob("*.safetensors"))), "is not whole"),
        (drop_a_weight, "lacks 1 of its weights"),
    ],
)
def test_a_broken_folder_is_refused_by_name(tiny, tmp_path, break_it, said):
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    break_it(folder)
    error = refusal(lambda: converted(folder, tmp_path / "out"))
    assert error.code == "BAD_MODEL"
    assert said in error.message


class Code:
    """Unpickled, it would make a file."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return os.mkdir, (str(self._path),)


def rewritten(folder, work):
    """The folder's weights, which lie in one file, after `work` has made others of them."""
    path = folder / "model.safetensors"
    weights = load_file(path)
    save_file(work(weights) or weights, path, metadata={"format": "pt"})


def spoilt(number):
    def spoil(folder):
        rewritten(folder, lambda weights: weights["model.layers.1.mlp.up_proj.weight"].view(-1)[5].fill_(number) and {})

    return spoil


def pickled(folder, weights):
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")


def configured(name, **changes):
    def configure(folder):
        path = folder / name
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return configure


def resaved(kind, **how):
    return lambda folder: kind.from_pretrained(folder, **how).save_pretrained(folder)


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (spoilt(float("nan")), "model.layers.1.mlp.up_proj.weight holds a number that is not finite"),
        (spoilt(float("inf")), "not finite"),
        (spoilt(3.4e38), "not finite"),
        (configured("config.json", num_hidden_layers=1), "holds 9 weights that its config.json does not account for"),
        (configured("config.json", num_hidden_layers=3), "lacks 9 of its weights"),
        (configured("config.json", intermediate_size=48), "6 weights of another shape than its config.json says"),
        (configured("config.json", vocab_size=257), "is [260, 32], not [257, 32]"),
        (configured("config.json", num_attention_heads=5), "not a multiple of the number of attention heads (5)"),
        (configured("config.json", eos_token_id="<end>"), "expected int, got str"),
        (configured("config.json", rope_parameters={"rope_type": "mine"}), "mine"),
        (configured("config.json", eos_token_id=999), "its embeddings have 260"),
        (configured("config.json", eos_token_id=-1), "with the token -1"),
        (configured("config.json", eos_token_id=258), "its tokenizer has 257"),
        (configured("generation_config.json", eos_token_id=[256, 12345]), "with the token 12345"),
        (configured("generation_config.json", eos_token_id=[256, "<end>"]), "cannot be converted"),
        (resaved(LlamaModel), "lacks 1 of its weights, lm_head.weight"),
        (resaved(LlamaForSequenceClassification, num_labels=2), "lacks 1 of its weights, lm_head.weight"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no file named model.safetensors"),
        (lambda folder: pickled(folder, {"x": Code(folder / "run")}), "a pickle of more than tensors"),
    ],
)
def test_weights_and_tokens_that_do_not_fit_are_refused_by_name(tmp_path, break_it, said):
    folder = model_folder(tmp_path / "model", "Llama")
    break_it(folder)
    error = refusal(lambda: converted(folder, tmp_path / "out"))
    assert (error.code, said in error.message) == ("BAD_MODEL", True), error.message
    assert not (folder / "run").exists()


def test_a_model_that_ends_no_text_is_refused(tmp_path):
    folder = model_folder(tmp_path / "model", "Llama", tokenizer=byte_tokenizer(eos_token=None), eos_token_id=None)
    assert "names no token that ends a text" in refusal(lambda: converted(folder, tmp_path / "out")).message


def same(folder, target):
    """Whether what was converted says what the folder's model says."""
    configured("config.json", torch_dtype="float32", dtype="float32")(folder)
    incarnation.convert(incarnation.find(str(folder), "float32"), target, "float32")
    models = [AutoModelForCausalLM.from_pretrained(place, dtype=torch.float32).eval() for place in (folder, target)]
    with torch.inference_mode():
        ours, theirs = (model(torch.arange(20)[None]).logits for model in models)
    return torch.equal(ours, theirs)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_any_floating_type_are_taken(tmp_path, dtype):
    assert same(model_folder(tmp_path / "model", "Llama", dtype=dtype), tmp_path / "out")


def test_tied_and_pickled_and_mixed_weights_are_taken(tmp_path):
    tied = model_folder(tmp_path / "tied", "Llama", tie_word_embeddings=True)
    assert "lm_head.weight" not in load_file(tied / "model.safetensors")
    assert same(tied, tmp_path / "tied-out")
    binary = model_folder(tmp_path / "binary", "Llama")
    pickled(binary, load_file(binary / "model.safetensors"))
    assert same(binary, tmp_path / "binary-out")
    mixed = model_folder(tmp_path / "mixed", "Llama")
    rewritten(mixed, lambda held: {name: one.half() if "mlp" in name else one for name, one in held.items()})
    assert same(mixed, tmp_path / "mixed-out")


@pytest.mark.parametrize(
    ("kind", "masks"),
    [
        ("GPT2", ["transformer.h.0.attn.bias", "transformer.h.1.attn.masked_bias"]),
        ("GPTNeo", ["transformer.h.0.attn.attention.bias", "transformer.h.1.attn.attention.masked_bias"]),
        ("Llama", ["model.layers.0.self_attn.rotary_emb.inv_freq"]),
    ],
)
def test_what_earlier_releases_wrote_beside_the_weights_is_no_weight(tmp_path, kind, masks):
    folder = model_folder(tmp_path / "model", kind, **SERVED[kind])
    rewritten(folder, lambda weights: weights | {name: torch.ones(1, 1, 4, 4) for name in masks})
    assert same(folder, tmp_path / "out")


def test_a_context_is_the_models_word_where_it_gives_one(tmp_path):
    for kind, changes, context in (
        ("Llama", {"max_position_embeddings": 64}, 64),
        ("Mpt", {"max_seq_len": 48, "d_model": 32, "n_layers": 1, "n_heads": 4}, 48),
        ("Bloom", {"n_layer": 1, "n_head": 4}, 2048),
    ):
        folder = model_folder(tmp_path / kind, kind, **changes)
        assert incarnation.load({path.name: path for path in folder.iterdir()}).context == context


@pytest.mark.parametrize("content", [b"", b"no model", b"GGUF", b"GGUF\x03\0\0\0" + b"\xff" * 64])
def test_a_broken_file_is_refused(tmp_path, content):
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    assert refusal(lambda: converted(path, tmp_path / "out")).code == "BAD_MODEL"


def test_a_device_or_a_type_that_is_none_is_refused(tiny):
    files = {path.name: path for path in tiny.iterdir()}
    for settings in ({"device": "abacus"}, {"dtype": "int3"}):
        with pytest.raises(BatosError) as caught:
            incarnation.load(files, **settings)
        assert caught.value.code in {"BAD_CONFIG", "BAD_MODEL"}
        assert next(iter(settings.values())) in caught.value.message


def test_a_folder_that_cannot_be_made_is_the_storages_failure(tiny, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BatosError, match="cannot be made") as caught:
        incarnation.load({path.name: path for path in tiny.iterdir()}, folder=tmp_path / "file" / "model")
    assert caught.value.code == "STORAGE"


@pytest.mark.model
def test_the_embedded_default_speaks(real):
    from protocol.messages import Row, Sampling, Turn

    turns = [Turn(role="user", content="What is the capital of France?")]
    answer = real.generate([Row(turns=turns, sampling=Sampling(temperature=0), max_tokens=16)]).rows[0]
    assert "Paris" in answer.text
    assert answer.finish == "stop"
