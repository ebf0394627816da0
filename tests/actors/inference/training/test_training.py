"""Training a tiny model: it learns, it can be stopped and goes on to the same bits, and what comes of it is an expert."""

from __future__ import annotations

import json
import warnings

import msgspec
import pytest
import torch
from peft import PeftModel
from transformers import LlamaForCausalLM

from actors.inference.decoding.bank import linears
from actors.inference.model import incarnation
from actors.inference.training.checkpoint import FILE, read_checkpoint, write_whole
from actors.inference.training.samples import Samples, from_text, split
from actors.inference.training.training import Training, TrainingSettings, targets
from actors.inference.weights.adapter import read_adapter
from protocol.errors import BatosError
from protocol.messages import Row

BASE = "ba5e" * 16
TEXT = "the mill at oster has two wheels and grinds four sacks of rye in an hour. " * 8
SETTINGS = TrainingSettings(rank=4, epochs=2, rate=0.02, batch=128, length=32, seed=5)


@pytest.fixture(autouse=True)
def one_thread():
    """Products as small as these are not worth a second one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def training(tiny, tmp_path):
    """Makes trainings of the tiny model, each in the folder of its name."""

    def make(name="one", settings=SETTINGS, text=TEXT):
        base = incarnation.load({path.name: path for path in tiny.iterdir()}, dtype="float32")
        data = Samples(*split(from_text(base.tokenizer, text, settings.length), settings.seed), 0)
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        return Training(base, data, settings, base_model=BASE, folder=folder)

    return make


def never():
    return False


def after(steps):
    """Asks to stop when so many steps are done."""
    left = iter([False] * (steps - 1))
    return lambda: next(left, True)


def bits(folder):
    return (folder / "adapter" / "adapter_model.safetensors").read_bytes()


def test_the_loss_falls_and_the_base_model_stays(training):
    one = training()
    before = {name: weight.clone() for name, weight in one._model.named_parameters() if "lora" not in name}
    seen = []
    made = one.run(seen.append, never)
    assert (seen[0].step, seen[0].loss, seen[-1].step) == (0, None, one.steps)
    assert seen[-1].held_out < 0.8 * seen[0].held_out
    assert seen[-1].loss < 0.8 * seen[1].loss
    assert made.held_out == seen[-1].held_out
    assert [progress.step for progress in seen] == list(range(one.steps + 1))
    after_ = dict(one._model.named_parameters())
    assert all(torch.equal(after_[name], weight) for name, weight in before.items())


def test_steps_instead_of_epochs(training):
    assert training(settings=TrainingSettings(steps=3)).steps == 3
    assert training(settings=SETTINGS).run(lambda _: None, never).steps > 3


def test_stopped_at_any_step_it_ends_in_the_same_bits(training):
    whole = training("whole").run(lambda _: None, never)
    for stop in (1, whole.steps - 1):
        folder = f"stopped{stop}"
        with pytest.raises(BatosError, match=f"after step {stop} of") as caught:
            training(folder).run(lambda _: None, after(stop))
        assert caught.value.code == "INTERRUPTED"
        made = training(folder).run(lambda _: None, never)
        assert made.resumed == stop
        assert bits(made.folder.parent) == bits(whole.folder.parent)


def test_killed_between_two_checkpoints_it_ends_in_the_same_bits(training):
    whole = training("whole").run(lambda _: None, never)

    def die(progress):
        if progress.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training("killed").run(die, never, every_s=0.0)
    made = training("killed").run(lambda _: None, never)
    assert made.resumed == 4
    assert bits(made.folder.parent) == bits(whole.folder.parent)


def test_finished_it_is_not_done_again(training):
    made = training().run(lambda _: None, never)
    first = bits(made.folder.parent)
    seen = []
    again = training().run(seen.append, never)
    assert (again.resumed, [progress.step for progress in seen]) == (made.steps, [made.steps])
    assert bits(made.folder.parent) == first


@pytest.mark.parametrize("change", [{"settings": TrainingSettings(rank=2)}, {"text": TEXT + "more of it."}])
def test_another_training_under_the_name_is_refused(training, change):
    training().run(lambda _: None, never)
    with pytest.raises(BatosError, match="other data, settings or base model") as caught:
        training(**change).run(lambda _: None, never)
    assert caught.value.code == "NAME_TAKEN"
    assert "--restart" in caught.value.hint


def test_a_training_that_diverges_fails_and_leaves_the_checkpoint_before(training):
    with pytest.raises(BatosError, match="stopped"):
        training().run(lambda _: None, after(2))
    one = training()
    kept = (one.folder / FILE).read_bytes()
    one.settings = msgspec.structs.replace(SETTINGS, rate=1e30)
    with pytest.raises(BatosError, match="diverged at step") as caught:
        one.run(lambda _: None, never)
    assert caught.value.code == "TRAINING_FAILED"
    assert (one.folder / FILE).read_bytes() == kept


def test_without_room_it_says_so_and_the_checkpoint_stays(training, monkeypatch):
    with pytest.raises(BatosError, match="stopped"):
        training().run(lambda _: None, after(2))
    one = training()

    def full_device(_batch):
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(one, "_loss", full_device)
    with pytest.raises(BatosError, match="batches of 128 tokens") as caught:
        one.run(lambda _: None, never)
    assert caught.value.code == "OUT_OF_MEMORY"
    assert training().run(lambda _: None, never).resumed == 2


def test_a_checkpoint_that_is_none(training):
    one = training()
    write_whole(one.folder / FILE, b"\0" * 100)
    with pytest.raises(BatosError, match="no checkpoint") as caught:
        one.run(lambda _: None, never)
    assert caught.value.code == "UNREADABLE"


def test_a_checkpoint_is_there_whole_or_not_at_all(training, monkeypatch):
    with pytest.raises(BatosError, match="stopped"):
        training().run(lambda _: None, after(2))
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(BatosError, match="No space") as caught:
        training().run(lambda _: None, never)
    assert caught.value.code == "STORAGE"
    monkeypatch.undo()
    kept = read_checkpoint(training().folder)
    assert kept is not None
    assert kept.step == 2


def full(_descriptor):
    raise OSError(28, "No space left on device")


def test_what_comes_of_it_is_an_adapter_of_its_base_model(training, tiny):
    made = training().run(lambda _: None, never)
    config = json.loads((made.folder / "adapter_config.json").read_text())
    assert (config["base_model_digest"], config["base_model_name_or_path"], config["r"]) == (BASE, None, 4)
    shapes = linears(LlamaForCausalLM.from_pretrained(tiny))
    found = read_adapter(made.folder, shapes, rank=8, base_model=BASE)
    assert (found.rank, found.alpha, len(found.pairs)) == (4, 8.0, 8)
    with pytest.raises(BatosError, match="was made for the base model"):
        read_adapter(made.folder, shapes, rank=8, base_model="0" * 64)


def test_the_bank_computes_with_it_what_peft_does(training, load, tiny, taken):
    made = training().run(lambda _: None, never)
    engine = load(rank=4)
    content = taken(engine, "trained", made.folder)
    prompt = "the mill at oster has two whe"
    model = LlamaForCausalLM.from_pretrained(tiny, dtype=torch.float32)
    tokens = torch.tensor([engine.generator.prompts.tokens(Row(prompt=prompt))])
    base = model(input_ids=tokens).logits
    with warnings.catch_warnings():
        # PEFT asks this transformers a question under its old name, and does not know what a digest is.
        warnings.filterwarnings("ignore", ".*is_gradient_checkpointing", FutureWarning)
        warnings.filterwarnings("ignore", ".*base_model_digest", UserWarning)
        wanted = PeftModel.from_pretrained(model, made.folder)(input_ids=tokens).logits
    with engine.tiers.hold([content], {}) as slots, torch.inference_mode():
        engine.generator.bank.serve([slots[content.sha256]])
        found = engine.generator.model(input_ids=tokens).logits
        engine.generator.bank.serve([])
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(found, base, atol=1e-2)


def test_a_model_that_names_its_attention_otherwise_is_trained_whole():
    class Named(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)

        def get_output_embeddings(self):
            return None

    assert targets(Named()) == ["first", "second"]
