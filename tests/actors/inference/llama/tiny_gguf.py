"""A GGUF file of a few hundred KB that llama.cpp serves: random weights over the bytes, with turns that have control tokens."""

from __future__ import annotations

import os

import numpy as np
import pytest
from gguf import GGUFWriter, LlamaFileType, TokenType
from tokenizers import pre_tokenizers

from protocol.home import EXTRA, has_llama

WIDTH, HIDDEN, LAYERS, HEADS, GROUPS = 64, 128, 2, 4, 2
CONTROL = ["<end>", "<turn>"]
TEMPLATE = (
    "{% for message in messages %}<turn>{{ message['role'] }}\n{{ message['content'] }}"
    "{% if not loop.last or message['role'] != 'assistant' %}<end>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<turn>assistant\n{% endif %}"
)


def tiny_gguf(path, seed=0, **facts):
    """Write the file at `path`. `facts` are metadata to change, None to leave out; `architecture` is one of them."""
    random = np.random.default_rng(seed)
    architecture = facts.pop("architecture", "llama")
    words = ["aa", *sorted(pre_tokenizers.ByteLevel.alphabet()), *CONTROL]
    writer = GGUFWriter(path, architecture)
    writer.add_context_length(facts.pop("context", 1024))
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(GROUPS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(LlamaFileType.ALL_F32)
    if facts.pop("tokenizer", True):
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("gpt-2")
        writer.add_token_list(words)
        writer.add_token_types([TokenType.NORMAL] * (len(words) - 2) + [TokenType.CONTROL] * 2)
        writer.add_token_merges(["a a"])
        writer.add_eos_token_id(len(words) - 2)
        writer.add_add_bos_token(False)
        writer.add_chat_template(TEMPLATE)
    for name, value in facts.items():
        writer.add_uint32(name, value)
    wide = WIDTH * GROUPS // HEADS
    shapes = {"token_embd": (len(words), WIDTH), "output_norm": (WIDTH,), "output": (len(words), WIDTH)}
    for layer in range(LAYERS):
        block = {"attn_norm": (WIDTH,), "ffn_norm": (WIDTH,), "attn_q": (WIDTH, WIDTH), "attn_k": (wide, WIDTH)}
        block |= {"attn_v": (wide, WIDTH), "attn_output": (WIDTH, WIDTH)}
        block |= {"ffn_gate": (HIDDEN, WIDTH), "ffn_up": (HIDDEN, WIDTH), "ffn_down": (WIDTH, HIDDEN)}
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in block.items()}
    for name, shape in shapes.items():
        norm = len(shape) == 1
        numbers = np.ones(shape) if norm else random.normal(0, 0.3, shape)
        writer.add_tensor(f"{name}.weight", numbers.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def need_llama():
    """Skip by name without the extra; fail where everything is to be tested."""
    if not has_llama():
        if os.environ.get("BATOS_TEST_ALL"):
            pytest.fail(f"{EXTRA} is not installed, and everything is to be tested")
        pytest.skip(f"{EXTRA} is not installed: pip install -e '.[llama]'")
