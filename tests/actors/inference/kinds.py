"""Tiny models of random weights, a folder each, of the kinds that people bring."""

from __future__ import annotations

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModel, AutoModelForCausalLM, PreTrainedTokenizerFast, set_seed

END = 256
WINDOW = 16
"""Tokens that a layer with a window looks back: far fewer than the texts of the tests have."""

_SIZES = {
    "vocab_size": 260,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "initializer_range": 0.2,
}
_HEADS = {"head_dim": 8}
_SLIDING = {"sliding_window": WINDOW}
_EXPERTS = {"num_experts_per_tok": 2}
_MAMBA = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_n_groups": 1, "mamba_d_state": 8}
_MIXED = {"layer_types": ["sliding_attention", "full_attention"], **_SLIDING}
_LINEAR = {
    "linear_num_value_heads": 4,
    "linear_num_key_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "layer_types": ["linear_attention", "full_attention"],
}
_LONGROPE = {
    "rope_type": "longrope",
    "rope_theta": 1e4,
    "short_factor": [1.0] * 4,
    "long_factor": [4.0] * 4,
    "original_max_position_embeddings": 128,
}

SERVED = {
    "Bloom": {"n_layer": 2, "n_head": 4},
    "Cohere": {},
    "DeepseekV3": {
        "num_key_value_heads": 4,
        "moe_intermediate_size": 16,
        "n_routed_experts": 4,
        "n_group": 1,
        "topk_group": 1,
        "kv_lora_rank": 8,
        "q_lora_rank": 16,
        "qk_rope_head_dim": 4,
        "qk_nope_head_dim": 8,
        "v_head_dim": 8,
        "first_k_dense_replace": 1,
        **_EXPERTS,
    },
    "Falcon": {},
    "FalconH1": {"mamba_d_ssm": 32, **_MAMBA, "mamba_n_heads": 4},
    "GPT2": {"n_positions": 256, "n_embd": 32, "n_layer": 2, "n_head": 4},
    "GPTJ": {"n_positions": 256, "n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 4},
    "GPTNeo": {"num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]], "window_size": WINDOW},
    "GPTNeoX": {},
    "Gemma": _HEADS,
    "Gemma2": {"query_pre_attn_scalar": 8, **_HEADS, **_SLIDING},
    "Gemma3Text": {"query_pre_attn_scalar": 8, **_HEADS, **_MIXED},
    "GptOss": {"num_local_experts": 4, **_EXPERTS, **_HEADS, **_SLIDING},
    "Granite": {},
    "GraniteMoeHybrid": {
        "num_local_experts": 4,
        "shared_intermediate_size": 32,
        "layer_types": ["mamba", "attention"],
        **_EXPERTS,
        **_MAMBA,
    },
    "Lfm2": {"layer_types": ["conv", "full_attention"], "block_multiple_of": 8},
    "Llama": {},
    "Llama4Text": {
        "num_local_experts": 2,
        "num_experts_per_tok": 1,
        "intermediate_size_mlp": 64,
        "attention_chunk_size": WINDOW,
        **_HEADS,
    },
    "Mamba2": {"state_size": 8, "num_heads": 8, "head_dim": 8, "n_groups": 1, "chunk_size": 32},
    "Mistral": _SLIDING,
    "Mixtral": {"num_local_experts": 4, **_EXPERTS, **_SLIDING},
    "Mpt": {"d_model": 32, "n_layers": 2, "n_heads": 4, "max_seq_len": 256},
    "OPT": {"ffn_dim": 64, "word_embed_proj_dim": 32, "init_std": 0.2},
    "Olmo2": {},
    "Phi": {},
    "Phi3": _SLIDING,
    "Qwen2": {"use_sliding_window": True, "max_window_layers": 1, **_SLIDING},
    "Qwen3": _HEADS,
    "Qwen3Moe": {"num_experts": 4, "moe_intermediate_size": 32, **_EXPERTS, **_HEADS},
    "Qwen3_5Text": {**_HEADS, **_LINEAR},
    "RecurrentGemma": {"lru_width": 32, "attention_window_size": WINDOW, "block_types": ["recurrent", "attention"]},
    "SmolLM3": {},
    "StableLm": {},
}
REFUSED = {
    "Bert": ({}, "reads what comes after a word too"),
    "T5": ({"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}, "names a t5 model"),
    "Bart": (
        {"d_model": 32, "decoder_layers": 2, "decoder_attention_heads": 4, "decoder_ffn_dim": 64, "init_std": 0.2},
        "says something else in a batch of rows than alone",
    ),
    "Mamba": ({"state_size": 8}, "a layer reads 'weight' of one of its linears by itself"),
    "OpenAIGPT": ({"n_positions": 256, "n_embd": 32, "n_layer": 2, "n_head": 4}, "cannot be served: the model failed"),
}
LONGROPE = {"rope_parameters": _LONGROPE, "original_max_position_embeddings": 128}
"""Of a `Phi3`, whose context would be 256."""


def byte_tokenizer(**changes):
    """A token for each byte, and one that ends a text."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = Tokenizer(models.BPE(vocab={token: n for n, token in enumerate([*alphabet, "<end>"])}, merges=[]))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(**{"tokenizer_object": words, "eos_token": "<end>", **changes})


def model_of(kind, seed=7, **changes):
    """A tiny model of the configuration class `<kind>Config`."""
    made = getattr(transformers, f"{kind}Config")
    known = made().to_dict()
    sizes = {name: size for name, size in _SIZES.items() if name in known or name in made.attribute_map}
    settings = {"eos_token_id": END, "bos_token_id": None, "pad_token_id": 0, **sizes, **changes}
    set_seed(seed)
    config = made(**settings)
    auto = AutoModelForCausalLM if type(config) in AutoModelForCausalLM._model_mapping else AutoModel
    return auto.from_config(config)


def model_folder(folder, kind, *, tokenizer=None, dtype=torch.float32, **how):
    """A Hugging Face folder with such a model."""
    model_of(kind, **how).to(dtype).save_pretrained(folder)
    (tokenizer or byte_tokenizer()).save_pretrained(folder)
    return folder
