"""Small GGUF files of random weights, as llama.cpp's own tools write them."""

from __future__ import annotations

import gguf
import numpy as np
from tokenizers import pre_tokenizers

HIDDEN = 256
"""Numbers in a row: as many as the widest block of a quantization has."""
LAYERS = 2
KEYS = 128


def write(
    path, *, kinds=("F32",), architecture="llama", words=258, rows=258, template="{{ messages }}", tied=False, **values
):
    """A whole model of two layers, its matrices in turns of these kinds; `values` are more of the file's own."""
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_context_length(128)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(2 * HIDDEN)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, "<end>", "ab", *(f"<more{number}>" for number in range(words - 258))]
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token.startswith("<") and len(token) > 1 else 1 for token in tokens])
    writer.add_token_merges(["a b"])
    writer.add_eos_token_id(256)
    if template:
        writer.add_chat_template(template)
    for name, value in values.items():
        writer.add_uint32(name.replace("__", "."), value)
    random = np.random.default_rng(5)

    def add(name, *shape):
        numbers = random.normal(scale=0.2, size=shape).astype(np.float32)
        kind = gguf.GGMLQuantizationType[kinds[len(writer.tensors[0]) % len(kinds)] if len(shape) > 1 else "F32"]
        plain = kind in {gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16}
        made = (
            numbers.astype(np.float16 if kind.name == "F16" else np.float32) if plain else gguf.quantize(numbers, kind)
        )
        writer.add_tensor(name, made, raw_dtype=kind)

    add("token_embd.weight", rows, HIDDEN)
    for layer in range(LAYERS):
        add(f"blk.{layer}.attn_norm.weight", HIDDEN)
        add(f"blk.{layer}.attn_q.weight", HIDDEN, HIDDEN)
        add(f"blk.{layer}.attn_k.weight", KEYS, HIDDEN)
        add(f"blk.{layer}.attn_v.weight", KEYS, HIDDEN)
        add(f"blk.{layer}.attn_output.weight", HIDDEN, HIDDEN)
        add(f"blk.{layer}.ffn_norm.weight", HIDDEN)
        add(f"blk.{layer}.ffn_gate.weight", 2 * HIDDEN, HIDDEN)
        add(f"blk.{layer}.ffn_up.weight", 2 * HIDDEN, HIDDEN)
        add(f"blk.{layer}.ffn_down.weight", HIDDEN, 2 * HIDDEN)
    add("output_norm.weight", HIDDEN)
    if not tied:
        add("output.weight", rows, HIDDEN)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
