"""A tiny model of random weights for most tests; the embedded default, converted once, for the ones marked `model`."""

from __future__ import annotations

import ast
import functools
import shutil
import warnings

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors import safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed

from actors.inference.engine import serve
from actors.inference.model import incarnation
from actors.inference.remote.connection import connect
from actors.inference.weights.expert import Content
from protocol.home import Home, Inference
from world import awakening
from world.store import open_store

from .fake_server import FakeServer

BASE = "ba5e" * 16
"""The digest that engines of these tests say their model has."""
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
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


def load(folder, *, dtype="auto", **settings):
    files = {path.name: path for path in folder.iterdir()}
    return serve(incarnation.load(files, dtype=dtype), Inference(**settings), BASE)


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


def adapter_of(folder, target, seed=0, **config):
    """A PEFT adapter of random weights for the model in `folder`, as PEFT saves it."""
    set_seed(seed)
    wanted = LoraConfig(
        **{"r": 4, "lora_alpha": 8, "target_modules": LINEARS, "init_lora_weights": False, "task_type": "CAUSAL_LM"}
        | config
    )
    base = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with warnings.catch_warnings():
        # PEFT asks this transformers a question under its old name.
        warnings.filterwarnings("ignore", ".*is_gradient_checkpointing", FutureWarning)
        get_peft_model(base, wanted).save_pretrained(target, save_embedding_layers=False)
    return target


@pytest.fixture(scope="session")
def saved(tiny, tmp_path_factory):
    """PEFT takes its time: the adapters that it has saved in this run, by seed and configuration."""
    top = tmp_path_factory.mktemp("saved")
    return functools.cache(
        lambda seed, config: adapter_of(tiny, top / str(len(list(top.iterdir()))), seed, **ast.literal_eval(config))
    )


@pytest.fixture
def adapter(saved, tmp_path):
    """Makes PEFT adapters for the tiny model: `adapter("brick", seed=1, r=8)` is the folder of one."""

    def make(name, seed=0, **config):
        return shutil.copytree(saved(seed, repr(config)), tmp_path / "adapters" / name, dirs_exist_ok=True)

    return make


@pytest.fixture
def change():
    """Writes an adapter's weights anew after `work` has changed them in place."""

    def rewrite(folder, work, **metadata):
        path = folder / "adapter_model.safetensors"
        with safe_open(path, framework="pt") as file:
            weights = {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118 - it is no mapping
        save_file(work(weights) or weights, path, metadata={"format": "pt", **metadata})
        return folder

    return rewrite


@pytest.fixture
def taken(tmp_path):
    """Converts an adapter with an engine; the content that comes of it."""

    def take(engine, name, folder):
        path = tmp_path / f"{name}.{len(list(tmp_path.iterdir()))}.expert"
        made = engine.convert(folder, path)
        return Content(name, made.sha256, made.base_model, made.rank, made.bytes, path, made.invocation)

    return take


@pytest.fixture(scope="session", name="load")
def load_tiny(tiny):
    """Makes engines of the tiny model, with banks as one likes them."""
    return functools.partial(load, tiny, dtype="float32")


def home_of(root, model):
    """A home whose world is a file, awake, and whose configured model is the one at `model`, empty the embedded one."""
    home = Home(root / "home").prepare()
    uri = f"file://{home.database}?blobstorage_dir={home.blobs}"
    home.config.write_text(f'[storage]\nuri = "{uri}"\n[inference]\nmodel = "{model}"\nslots = 2\nrank = 8\n')
    store = open_store(home.settings(), home, name="test", seconds=1)
    awakening.awaken(store.db)
    store.close()
    return home


@pytest.fixture
def home(short_path, tiny):
    return home_of(short_path, tiny)


@pytest.fixture
def real_home(short_path, embedded):
    return home_of(short_path, embedded)


@pytest.fixture
def real_adapter(embedded, tmp_path):
    """Random, and strong enough to be heard."""
    return adapter_of(embedded, tmp_path / "real", seed=5, r=8, lora_alpha=64)


@pytest.fixture(scope="module")
def started(tiny):
    fake = FakeServer(tiny)
    yield fake
    fake.stop()


@pytest.fixture
def fake(started):
    started.reset()
    yield started
    started.go_on.set()


@pytest.fixture
def reach(fake, tiny, tmp_path):
    """Makes engines on the fake server, with settings as one likes them."""

    def reach(**settings):
        chosen = {"model": str(tiny), "dtype": "float32", "slots": 2, "rank": 8, "digest": BASE, "url": fake.url}
        return connect(Inference(engine="openai", **(chosen | settings)), Home(tmp_path / "home")).engine

    return reach


@pytest.fixture
def remote(reach):
    return reach()
