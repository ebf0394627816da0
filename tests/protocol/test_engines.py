"""Which engine is chosen, and what is said of it."""

from __future__ import annotations

import pytest

from protocol import home as engines
from protocol.errors import BatosError
from protocol.home import Inference, choose, has_cuda


@pytest.fixture
def machine(monkeypatch):
    """Says what there is: the extra, and a CUDA device."""

    def make(*, extra=True, cuda=False):
        monkeypatch.setattr(engines, "has_llama", lambda: extra)
        monkeypatch.setattr(engines, "has_cuda", lambda settings: cuda and settings.device != "cpu")

    make()
    return make


@pytest.fixture
def gguf(tmp_path):
    (tmp_path / "some.gguf").write_bytes(b"GGUF and more")
    return "some.gguf"


def test_a_gguf_file_on_a_processor_is_llamas_and_all_else_is_local(machine, gguf, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.gguf").write_bytes(b"text")
    chosen = {
        model: choose(Inference(model=model), tmp_path).engine for model in (gguf, "", "folder", "text.gguf", "nowhere")
    }
    assert chosen == {gguf: "llama", "": "local", "folder": "local", "text.gguf": "local", "nowhere": "local"}
    assert choose(Inference(model=gguf, engine="openai"), tmp_path).engine == "openai"
    assert choose(Inference(model=gguf, quantization="nf4"), tmp_path).engine == "local"


def test_a_gguf_file_is_found_from_the_home_and_by_its_whole_path(machine, gguf, tmp_path):
    assert choose(Inference(model=str(tmp_path / gguf)), tmp_path / "elsewhere").engine == "llama"


def test_a_cuda_device_is_the_local_engines_unless_it_is_not_wanted(machine, gguf, tmp_path):
    machine(cuda=True)
    chosen = choose(Inference(model=gguf), tmp_path)
    assert (chosen.engine, "CUDA" in chosen.why, chosen.faster) == ("local", True, "")
    assert choose(Inference(model=gguf, device="cpu"), tmp_path).engine == "llama"


def test_what_would_be_faster_is_said_where_something_would(machine, gguf, tmp_path):
    local = choose(Inference(model=gguf, engine="local"), tmp_path)
    assert (local.engine, local.why, "engine = " in local.faster) == ("local", "configured", True)
    assert choose(Inference(), tmp_path).faster == ""
    machine(extra=False)
    without = choose(Inference(model=gguf), tmp_path)
    assert (without.engine, "pip install 'batos[llama]'" in without.faster) == ("local", True)


@pytest.mark.parametrize(
    ("settings", "extra", "said"),
    [
        ({"model": ""}, True, "the embedded default is no GGUF file"),
        ({"model": "nowhere"}, True, "is no GGUF file"),
        ({"model": "some.gguf"}, False, "xllamacpp is not installed"),
        ({"model": "some.gguf", "device": "cuda"}, True, "inference.device is cuda"),
        ({"model": "some.gguf", "quantization": "nf4"}, True, "inference.quantization is nf4"),
    ],
)
def test_llama_that_cannot_be_is_bad_config_with_the_next_step(machine, tmp_path, settings, extra, said):
    (tmp_path / "some.gguf").write_bytes(b"GGUF and more")
    machine(extra=extra)
    with pytest.raises(BatosError, match=said) as caught:
        choose(Inference(engine="llama", **settings), tmp_path)
    assert (caught.value.code, bool(caught.value.hint)) == ("BAD_CONFIG", True)


def test_a_device_counts_where_torch_can_use_it(tmp_path, monkeypatch):
    (tmp_path / "nvidia0").touch()
    for version, found in (("2.13.0+cpu", False), ("2.13.0", True)):
        monkeypatch.setattr(engines.metadata, "version", lambda _, version=version: version)
        assert has_cuda(Inference(), tmp_path) is found
        assert not has_cuda(Inference(device="cpu"), tmp_path)
        assert not has_cuda(Inference(), tmp_path / "nothing")
