"""The bank against PEFT, which is the oracle, on a tiny model in float32."""

from __future__ import annotations

import shutil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import PeftModel
from torch import nn
from transformers import LlamaForCausalLM

from actors.inference.decoding.bank import Bank, BankedLinear, Stretch, linears, runs_of
from actors.inference.weights.lora import Shape
from protocol.errors import BatosError

from ..conftest import adapter_of, load

# PEFT asks this transformers a question under its old name.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")

IDS = torch.arange(44).view(4, 11) % 200


def logits(engine, slots):
    """What the model says with these slots, one for each row of `IDS`."""
    with torch.inference_mode():
        engine.generator.bank.serve(slots)
        try:
            return engine.generator.model(IDS[: len(slots)] if slots else IDS).logits
        finally:
            engine.generator.bank.serve(())


def oracle(tiny, folders, names):
    """What PEFT says with these adapters by name, `__base__` where there is none."""
    base = LlamaForCausalLM.from_pretrained(tiny, dtype=torch.float32)
    first, *rest = folders.items()
    model = PeftModel.from_pretrained(base, first[1], adapter_name=first[0], autocast_adapter_dtype=False)
    for name, folder in rest:
        model.load_adapter(folder, adapter_name=name, autocast_adapter_dtype=False)
    model.eval()
    with torch.inference_mode():
        return model(IDS[: len(names)], adapter_names=names).logits


def filled(engine, contents):
    """The slot of each content, by its name."""
    with engine.tiers.hold(contents) as slots:
        return {content.name: slots[content.sha256] for content in contents}


@pytest.fixture
def engine(load):
    return load(slots=4, rank=8)


def test_a_mixed_batch_is_as_peft_says(tiny, engine, adapter, taken):
    folders = {
        "brick": adapter("brick", seed=1, r=4),
        "robin": adapter("robin", seed=2, r=8, lora_alpha=4),
        "alfred": adapter("alfred", seed=3, r=2, use_rslora=True),
    }
    slots = filled(engine, [taken(engine, name, folder) for name, folder in folders.items()])
    for names in (
        ["brick", "__base__", "robin", "alfred"],
        ["robin", "robin", "brick", "__base__"],
        ["alfred"] * 4,
        ["__base__", "robin"],
    ):
        ours = logits(engine, [slots.get(name) for name in names])
        theirs = oracle(tiny, folders, names)
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
        assert (ours - logits(engine, [None] * len(names))).abs().max() > 0.01


@pytest.mark.parametrize(
    "config",
    [
        {"target_modules": ["q_proj", "v_proj"]},
        {"target_modules": r"model\.layers\.1\..*(up|down)_proj"},
        {"target_modules": "all-linear"},
        {"exclude_modules": ["k_proj"]},
        {"rank_pattern": {"q_proj": 8, r"layers\.0\.mlp\.up_proj": 1}, "alpha_pattern": {"o_proj": 3}},
        {"rank_pattern": {"down_proj": 7}, "use_rslora": True},
        {"target_modules": "All-Linear", "exclude_modules": r".*mlp.*"},
        {"target_modules": ["model.layers.0.self_attn.q_proj", "down_proj"]},
        {"layers_to_transform": 1},
        {"layers_to_transform": [0, 7]},
        {"layers_to_transform": [], "layers_pattern": "layers"},
        {"layers_to_transform": [1], "layers_pattern": ["blocks", "layers"]},
        {"layers_to_transform": [1], "layers_pattern": "model.layers", "exclude_modules": ["q_proj"]},
        {
            "layers_to_transform": 0,
            "rank_pattern": {"q_proj": 8},
            "alpha_pattern": {"layers.0.*": 3.5},
            "use_rslora": True,
        },
    ],
)
def test_what_a_configuration_means_is_as_peft_says(tiny, engine, adapter, taken, config):
    folder = adapter("one", seed=4, **config)
    slots = filled(engine, [taken(engine, "one", folder)])
    theirs = oracle(tiny, {"one": folder}, ["one", "__base__"])
    torch.testing.assert_close(logits(engine, [slots["one"], None]), theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32])
def test_every_type_of_float_is_served_as_peft_says(tiny, engine, adapter, change, taken, kind):  # noqa: PLR0917
    folder = change(adapter("one", seed=5), lambda weights: {key: value.to(kind) for key, value in weights.items()})
    slots = filled(engine, [taken(engine, "one", folder)])
    theirs = oracle(tiny, {"one": folder}, ["one", "__base__"])
    torch.testing.assert_close(logits(engine, [slots["one"], None]), theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["default", "robin"])
def test_weights_that_were_saved_with_the_adapters_name_in_their_keys_are_the_same(
    engine, adapter, change, taken, name
):
    plain = taken(engine, "plain", adapter("plain", seed=6))
    folder = change(
        adapter("named", seed=6),
        lambda weights: {key.replace(".weight", f".{name}.weight"): value for key, value in weights.items()},
    )
    assert taken(engine, "named", folder).sha256 == plain.sha256


def test_a_model_whose_head_is_its_embeddings_is_served_as_peft_says(tied, taken, tmp_path):
    engine = load(tied, dtype="float32", rank=8)
    assert engine.generator.model.get_output_embeddings().weight is engine.generator.model.get_input_embeddings().weight
    folder = adapter_of(tied, tmp_path / "one", seed=4, target_modules="all-linear")
    slots = filled(engine, [taken(engine, "one", folder)])
    theirs = oracle(tied, {"one": folder}, ["one", "__base__"])
    torch.testing.assert_close(logits(engine, [slots["one"], None]), theirs, rtol=1e-4, atol=1e-4)


@pytest.fixture
def tied(tiny, tmp_path):
    """The tiny model, and no head of its own."""
    folder = shutil.copytree(tiny, tmp_path / "tied", ignore=shutil.ignore_patterns("*.safetensors*"))
    model = LlamaForCausalLM.from_pretrained(tiny, dtype=torch.float32)
    model.config.tie_word_embeddings = True
    model.tie_weights()
    model.save_pretrained(folder)
    return folder


def test_a_batch_without_experts_is_the_base_model_bit_for_bit(tiny, engine, adapter, taken):
    before = logits(engine, [])
    filled(engine, [taken(engine, "brick", adapter("brick"))])
    assert torch.equal(logits(engine, [None] * 4), before)
    with torch.inference_mode():
        bare = LlamaForCausalLM.from_pretrained(tiny, dtype=torch.float32)(IDS).logits
    assert torch.equal(before, bare)


def test_a_base_row_beside_experts_is_what_it_is_beside_others(engine, adapter, taken):
    slots = filled(engine, [taken(engine, "brick", adapter("brick"))])
    mixed = logits(engine, [slots["brick"], None, None, slots["brick"]])
    assert torch.equal(mixed[1:3], logits(engine, [None] * 4)[1:3])


def test_a_slot_holds_nothing_of_what_was_there_before(load, adapter, taken):
    engine = load(slots=1, rank=8)
    large, small = (
        taken(engine, "large", adapter("large", seed=1, r=8)),
        taken(engine, "small", adapter("small", seed=2, r=2, target_modules=["q_proj"])),
    )
    alone = logits(engine, [filled(engine, [small])["small"]])
    filled(engine, [large])
    assert torch.equal(logits(engine, [filled(engine, [small])["small"]]), alone)


def test_a_slot_in_use_is_neither_filled_nor_cleared_and_an_empty_one_serves_nobody(engine, adapter, taken):
    content = taken(engine, "brick", adapter("brick"))
    slot = filled(engine, [content])["brick"]
    bank, expert = engine.generator.bank, engine.tiers._entries[content.sha256].expert
    bank.serve([slot])
    for work in (lambda: bank.fill(slot, expert), lambda: bank.clear(slot)):
        with pytest.raises(RuntimeError, match="in use"):
            work()
    bank.serve(())
    with pytest.raises(RuntimeError, match="no expert"):
        bank.serve([slot + 1])
    bank.clear(slot)
    with pytest.raises(RuntimeError, match="no expert"):
        bank.serve([slot])


def test_rows_that_are_not_those_of_the_batch_are_an_error(engine, adapter, taken):
    slot = filled(engine, [taken(engine, "brick", adapter("brick"))])["brick"]
    engine.generator.bank.serve([slot, None])
    with pytest.raises(RuntimeError, match="2 rows"):
        engine.generator.model(IDS)
    engine.generator.bank.serve(())
    engine.generator.model(IDS)


@pytest.mark.parametrize(
    ("slots", "runs"),
    [
        ([], []),
        ([None, None], []),
        ([1], [Stretch(0, 1, (1,))]),
        ([2, 2, 2], [Stretch(0, 3, (2,))]),
        ([0, 1, 2, 3], [Stretch(0, 4, (0, 1, 2, 3))]),
        ([None, 0, 0, 1, 1], [Stretch(1, 5, (0, 1))]),
        ([0, 0, 1], [Stretch(0, 2, (0,)), Stretch(2, 3, (1,))]),
        ([0, 2, 3], [Stretch(0, 1, (0,)), Stretch(1, 3, (2, 3))]),
        ([0, None, 1], [Stretch(0, 1, (0,)), Stretch(2, 3, (1,))]),
        ([1, 0], [Stretch(0, 1, (1,)), Stretch(1, 2, (0,))]),
    ],
)
def test_rows_are_divided_into_runs(slots, runs):
    assert runs_of(slots) == runs


@given(st.lists(st.sampled_from([None, 0, 1, 2, 3]), max_size=12))
def test_every_row_is_in_the_run_of_its_slot(slots):
    seen = dict.fromkeys(range(len(slots)))
    for run in runs_of(slots):
        each, rest = divmod(run.end - run.first, len(run.slots))
        assert rest == 0
        for place, slot in enumerate(run.slots):
            for row in range(run.first + place * each, run.first + (place + 1) * each):
                assert seen[row] is None
                seen[row] = slot
    assert list(seen.values()) == slots


def test_rows_mean_the_same_in_any_order(engine, adapter, taken):
    names = ("brick", "robin", "alfred", "babs")
    slots = filled(engine, [taken(engine, name, adapter(name, seed=seed)) for seed, name in enumerate(names, 1)])
    alone = {name: logits(engine, [slots[name]] * 4) for name in names} | {None: logits(engine, [None] * 4)}
    for order in (
        ("babs", None, "robin", "brick"),
        ("alfred", "alfred", None, "brick"),
        ("robin", "alfred", "babs", "babs"),
    ):
        mixed = logits(engine, [slots.get(name) for name in order])
        for row, name in enumerate(order):
            torch.testing.assert_close(mixed[row], alone[name][row], rtol=1e-5, atol=1e-5)


class Packed(nn.Module):
    """As a quantized linear looks: a weight of another shape and type, and a product in a type of its own."""

    def __init__(self, inner):
        super().__init__()
        self.in_features, self.out_features = inner.in_features, inner.out_features
        self.weight = nn.Parameter(torch.zeros(inner.weight.numel() // 2, 1, dtype=torch.uint8), requires_grad=False)
        self._inner = [inner]

    def forward(self, x):
        return self._inner[0](x.float()).to(torch.bfloat16)


def test_a_quantized_linear_is_wrapped_by_what_it_does():
    class Model(nn.Module):
        dtype, device = torch.bfloat16, torch.device("cpu")

        def __init__(self):
            super().__init__()
            self.layer = nn.Sequential(Packed(nn.Linear(6, 5)))
            self.head = nn.Linear(5, 3)

        def get_output_embeddings(self):
            return self.head

    model = Model()
    assert linears(model) == {"layer.0": Shape(6, 5)}
    Bank(model, slots=2, rank=3)
    assert isinstance(model.layer[0], BankedLinear)
    x = torch.ones(1, 2, 6, dtype=torch.bfloat16)
    assert torch.equal(model.layer(x), model.layer[0].inner(x))
    assert linears(model) == {"layer.0.inner": Shape(6, 5)}


def test_a_layer_that_reads_the_weights_of_a_linear_itself_is_told_why_it_cannot(load):
    linear = load().generator.bank._linears[0]
    assert not hasattr(linear, "weight")
    with pytest.raises(AttributeError, match="reads 'weight' of one of its linears by itself"):
        linear.weight  # noqa: B018 - reading it is what is tried


@pytest.mark.parametrize("sizes", [{"slots": 0, "rank": 8}, {"slots": 2, "rank": 0}])
def test_a_bank_of_nothing_is_refused(load, sizes):
    with pytest.raises(BatosError) as caught:
        load(**sizes)
    assert caught.value.code == "BAD_CONFIG"
