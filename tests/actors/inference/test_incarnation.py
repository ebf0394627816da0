from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from actors.inference import incarnation, kernels
from protocol.errors import BatosError


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
    assert (loaded.dtype, loaded.model.dtype) == (torch.bfloat16, kernels.faster())


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
        (lambda folder: truncate(min(folder.glob("*.safetensors"))), "cannot be read"),
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
