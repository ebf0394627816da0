"""What is seen of a model's folder before a library reads it: each thing that is wrong is refused by its name."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from actors.inference.model import incarnation
from protocol.errors import BatosError


@pytest.fixture
def folder(tiny, tmp_path):
    return shutil.copytree(tiny, tmp_path / "model")


def refused(folder):
    """What is said of the folder, and nothing is left of it."""
    target = folder.parent / "kept"
    with pytest.raises(BatosError) as caught:
        incarnation.convert(incarnation.find(str(folder)), target)
    assert caught.value.code == "BAD_MODEL"
    assert not target.exists()
    return f"{caught.value.message} {caught.value.hint}"


def configured(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def in_bytes(folder):
    path = max(folder.glob("*.safetensors"))
    weights = load_file(path)
    name = next(name for name, weight in weights.items() if weight.dim() == 2)
    save_file(weights | {name: weights[name].to(torch.int8)}, path, metadata={"format": "pt"})


def with_code(folder, name, **changes):
    """The folder as one that brings code, which would leave a file where it is run."""
    (folder / "code.py").write_text(f"open({str(folder / 'run')!r}, 'w')")
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


GPTQ = {"quantization_config": {"quant_method": "gptq", "bits": 4}}
CODE = {"auto_map": {"AutoConfig": "code.C", "AutoModelForCausalLM": "code.M"}, "model_type": "mine"}


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (
            lambda folder: (folder / "adapter_config.json").write_text("{}"),
            "an adapter was saved into a model's folder",
        ),
        (lambda folder: configured(folder, **GPTQ), "quantized already (gptq)"),
        (lambda folder: configured(folder, text_config=GPTQ), "quantized already (gptq)"),
        (lambda folder: configured(folder, quantization_config="odd"), "quantized already (odd)"),
        (in_bytes, "in I8: it is quantized already"),
        (lambda folder: configured(folder, model_type="mine"), "names a mine model, which transformers"),
        (lambda folder: configured(folder, model_type=["llama"]), "names a ['llama'] model, which transformers"),
        (lambda folder: configured(folder, model_type=None), "names no model_type"),
        (lambda folder: configured(folder, model_type="t5"), "names a t5 model, which is no plain language model"),
        (lambda folder: with_code(folder, "config.json", **CODE), "which needs the code in its folder"),
        (lambda folder: (folder / "config.json").write_text("[]"), "config.json cannot be read: it is no JSON object"),
        (lambda folder: (folder / "config.json").write_bytes(b"\xff"), "config.json cannot be read"),
        (lambda folder: (folder / "generation_config.json").write_text("{"), "generation_config.json cannot be read"),
        (lambda folder: (folder / "tokenizer_config.json").write_text("7"), "tokenizer_config.json cannot be read"),
        (lambda folder: (folder / "tokenizer.json").write_text("no"), "tokenizer.json cannot be read"),
        (lambda folder: [path.unlink() for path in folder.iterdir()], "has no config.json"),
        (lambda folder: max(folder.glob("*.safetensors")).write_bytes(b""), "is not whole"),
        (
            lambda folder: max(folder.glob("*.safetensors")).write_text("version https://git-lfs.github.com/spec/v1\n"),
            "is a pointer of Git LFS, and not the weights `git lfs pull`",
        ),
    ],
)
def test_a_folder_is_refused_by_what_it_looks_like(folder, break_it, said):
    break_it(folder)
    assert said in refused(folder)
    assert not (folder / "run").exists()


def test_code_of_a_tokenizer_is_not_run_and_nobody_is_asked(folder):
    with_code(folder, "tokenizer_config.json", auto_map={"AutoTokenizer": ["code.T", None]}, tokenizer_class="T")
    assert "custom code" in refused(folder)
    assert not (folder / "run").exists()


def test_code_beside_a_kind_that_is_known_is_left_alone(folder, tmp_path):
    with_code(folder, "config.json", auto_map=CODE["auto_map"])
    assert incarnation.convert(incarnation.find(str(folder)), tmp_path / "kept").digest
    assert not (folder / "run").exists()
