"""A tiny model of random weights for most tests; the embedded default, converted once, for the ones marked `model`."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed

from actors.inference import incarnation
from actors.inference.engine import LocalEngine

TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}</>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A Hugging Face folder with a model of two layers, in two shards, over the bytes and one stop token."""
    folder = tmp_path_factory.mktemp("tiny")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = Tokenizer(models.BPE(vocab={token: n for n, token in enumerate([*alphabet, "<end>"])}, merges=[]))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>", chat_template=TEMPLATE)
    set_seed(7)
    config = LlamaConfig(
        vocab_size=257,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        eos_token_id=256,
        bos_token_id=None,
        initializer_range=0.3,
    )
    LlamaForCausalLM(config).save_pretrained(folder, max_shard_size="40KB")
    tokenizer.save_pretrained(folder)
    return folder


def load(folder, **settings):
    return LocalEngine(incarnation.load({path.name: path for path in folder.iterdir()}, **settings))


@pytest.fixture(scope="session")
def engine(tiny):
    return load(tiny, dtype="float32")


@pytest.fixture(scope="session")
def embedded(tmp_path_factory):
    """The embedded default model, converted."""
    folder = tmp_path_factory.mktemp("embedded")
    incarnation.convert(incarnation.find(""), folder)
    return folder


@pytest.fixture(scope="session")
def real(embedded):
    return load(embedded)
