"""What of this machine llama.cpp is given."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.inference.llama import sizing
from actors.inference.model import allowance
from actors.inference.model.gguf.header import GgufHeader, read_header
from protocol.errors import BatosError
from protocol.home import Inference

from .tiny_gguf import tiny_gguf


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    return tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def test_a_token_takes_its_keys_and_values(whole):
    # 2 layers, keys and values of 2 heads with 16 numbers, in 2 bytes
    assert sizing.token_bytes(read_header(whole)) == 2 * 2 * 2 * 16 * 2


def test_a_model_over_the_memory_is_refused_with_what_it_needs(whole, monkeypatch):
    monkeypatch.setattr(allowance, "memory", lambda: 500_000_000)
    with pytest.raises(BatosError) as caught:
        sizing.share(read_header(whole)._replace(bytes=700_000_000), Inference())
    assert (caught.value.code, "0.5 GB are free" in caught.value.message) == ("OUT_OF_MEMORY", True)


@pytest.mark.parametrize(("free", "context"), [(1 << 40, 32_768), (600_000_000, 32_768), (401_000_000, 2048)])
def test_the_context_follows_the_memory_that_is_left(whole, monkeypatch, free, context):
    monkeypatch.setattr(allowance, "memory", lambda: free)
    given = sizing.share(read_header(whole), Inference(prefix_bytes=0))
    assert (given.context, given.longest) == (context, 1024)


def test_threads_are_as_wanted_and_no_more_than_there_are_cores(whole, monkeypatch):
    monkeypatch.setattr(allowance, "physical_cores", lambda: 4)
    monkeypatch.setattr(allowance, "cores", lambda: 8)
    head = read_header(whole)
    assert [sizing.share(head, Inference(threads=wanted)).threads for wanted in (0, 1, 6, 99)] == [4, 1, 6, 8]


@given(
    free=st.integers(0, 1 << 40),
    weights=st.integers(0, 1 << 40),
    layers=st.integers(0, 200),
    prefix_bytes=st.sampled_from([0, 1, 256_000_000, 1 << 42]),
)
def test_what_is_given_is_never_more_than_what_is_left(free, weights, layers, prefix_bytes):
    values = {
        "general.architecture": "x",
        "x.block_count": layers,
        "x.embedding_length": 4096,
        "x.context_length": 9999,
    }
    header = GgufHeader(values, (), weights, ())
    takes, given = sizing.taken(header), sizing.divided(header, free, Inference(prefix_bytes=prefix_bytes))
    assert given.kept >= 0
    assert given.context >= 2048
    if takes.needed <= free:
        assert takes.weights + takes.beside + given.context * takes.token + given.kept <= free


def test_unless_it_is_named_what_is_kept_of_prompts_is_a_share_of_what_is_left(whole):
    header, free = read_header(whole), 8_000_000_000
    left = free - header.bytes - 400_000_000
    assert [sizing.divided(header, free, Inference(prefix_bytes=said)).kept for said in (0, 1_000_000)] == [
        left // 8,
        1_000_000,
    ]


def test_llama_cpp_is_served_without_torch():
    asked = "import sys, actors.inference.llama.serve; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0
