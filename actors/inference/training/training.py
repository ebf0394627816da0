"""Training: a LoRA over the frozen base model, by a short loop that can be stopped at every step and gone on with.

PEFT puts the matrices in; they, their gradients and the optimizer's moments are float32, while the base model stays as
it was loaded. A training is the same whenever it is run, and however often it is interrupted: the order of the
samples follows from the seed, nothing is dropped out, and a checkpoint holds the rest. Adam: arXiv 1412.6980, decay
decoupled as in 1711.05101; LoRA: 2106.09685.
"""

from __future__ import annotations

import hashlib
import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import LoraLayer
from safetensors.torch import save
from torch import nn

from actors.inference.decoding.bank import linears
from actors.inference.model.device import is_full, no_room
from actors.inference.model.incarnation import Incarnation
from actors.inference.training import samples
from actors.inference.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint, write_whole
from actors.inference.training.samples import Sample, Samples
from actors.inference.weights.lora import CONFIG, WEIGHTS
from protocol.errors import BatosError

ATTENTION: Final = ("q_proj", "k_proj", "v_proj", "o_proj")
"""What is trained, where the base model has linears of these names; else all of its linears are."""

_WARM_UP: Final = 0.1
_FLOOR: Final = 0.1
"""The rate rises over the first tenth of the steps, and falls to a tenth of itself along a cosine."""
_NORM: Final = 1.0
_IGNORED: Final = -100


class TrainingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`steps` 0: as many as `epochs` take. `batch` is in tokens, padding counted; `length` the most of one sample."""

    rank: int = 8
    epochs: int = 3
    steps: int = 0
    rate: float = 1e-3
    seed: int = 0
    batch: int = 1024
    length: int = 512


class TrainingProgress(msgspec.Struct, frozen=True):
    """After `step` of `of`: the step's mean loss a learned token, in nats, and the held-out one where it was looked at."""

    step: int
    of: int
    loss: float | None
    held_out: float | None


class Trained(NamedTuple):
    """`held_out` is the loss on what was held out, None where nothing was; `steps` all of them, `resumed` those before."""

    folder: Path
    steps: int
    resumed: int
    held_out: float | None


class Training:
    """One training in `folder`. `base_model` is the digest of the incarnation, which is changed in place."""

    def __init__(
        self, incarnation: Incarnation, data: Samples, settings: TrainingSettings, *, base_model: str, folder: Path
    ) -> None:
        self.data = data
        self.settings = settings
        self.folder = folder
        self.steps = settings.steps or sum(
            len(samples.batches(data.trained, settings.batch, settings.seed, epoch)) for epoch in range(settings.epochs)
        )
        identity = msgspec.json.encode([base_model, data.digest(), settings])
        self.digest = hashlib.sha256(identity).hexdigest()
        self._base_model = base_model
        self._dtype = incarnation.dtype
        self._padding = incarnation.stop[0] if incarnation.stop else 0
        self._model, self._weights = _injected(incarnation.model, settings)
        self._optimizer = torch.optim.AdamW(self._weights.values(), lr=settings.rate, weight_decay=0.0)

    def run(
        self, report: Callable[[TrainingProgress], None], should_stop: Callable[[], bool], *, every_s: float = 30.0
    ) -> Trained:
        """Train, or go on; the adapter as PEFT keeps one, in `folder`/adapter.

        NAME_TAKEN: the checkpoint there is of another training; INTERRUPTED after a checkpoint; TRAINING_FAILED where
        the loss is no number, with the checkpoint before it in its place; OUT_OF_MEMORY, and so it stays then.
        """
        try:
            return self._run(report, should_stop, every_s)
        except (RuntimeError, MemoryError) as error:
            if is_full(error):
                raise no_room(error, f"batches of {self.settings.batch} tokens") from None
            raise

    def _run(
        self, report: Callable[[TrainingProgress], None], should_stop: Callable[[], bool], every_s: float
    ) -> Trained:
        begun = self._resume()
        saved = time.monotonic()
        held_out = self._held_out()
        report(TrainingProgress(begun, self.steps, None, held_out))
        look_every = max(1, self.steps // 10)
        for step, batch in self._batches(begun):
            loss = self._step(step, batch)
            done = step + 1
            if done % look_every == 0 or done == self.steps:
                held_out = self._held_out()
                report(TrainingProgress(done, self.steps, loss, held_out))
            else:
                report(TrainingProgress(done, self.steps, loss, None))
            stopping = should_stop() and done < self.steps
            if stopping or done == self.steps or time.monotonic() - saved >= every_s:
                self._save(done)
                saved = time.monotonic()
            if stopping:
                raise BatosError(
                    "INTERRUPTED", f"stopped after step {done} of {self.steps}", "The same command goes on from there."
                )
        return Trained(self._write(), self.steps, begun, held_out)

    def _batches(self, begun: int) -> Iterator[tuple[int, list[Sample]]]:
        step, epoch = 0, 0
        while step < self.steps:
            for batch in samples.batches(self.data.trained, self.settings.batch, self.settings.seed, epoch):
                if begun <= step < self.steps:
                    yield step, batch
                step += 1
            epoch += 1

    def _step(self, step: int, batch: Sequence[Sample]) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = self.settings.rate * _share(step, self.steps)
        total, count = self._loss(batch)
        loss = total / count
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self._weights.values(), _NORM)
        if not math.isfinite(loss.item()) or not math.isfinite(norm.item()):
            raise _diverged(step + 1)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return loss.item()

    def _loss(self, batch: Sequence[Sample]) -> tuple[torch.Tensor, int]:
        """The summed loss of the learned tokens, and how many there are."""
        longest = max(len(sample.tokens) for sample in batch)
        tokens = torch.full((len(batch), longest), self._padding)
        mask = torch.zeros(len(batch), longest, dtype=torch.long)
        labels = torch.full((len(batch), longest), _IGNORED)
        for row, sample in enumerate(batch):
            size = len(sample.tokens)
            tokens[row, :size] = torch.tensor(sample.tokens)
            mask[row, :size] = 1
            labels[row, :size] = torch.where(torch.tensor(sample.learned), tokens[row, :size], _IGNORED)
        device = self._model.device
        # Logits are as wide as the vocabulary: only those that something is learned from are computed.
        columns = (labels[:, 1:] != _IGNORED).any(0).nonzero().squeeze(-1)
        logits = self._model(
            input_ids=tokens.to(device),
            attention_mask=mask.to(device),
            use_cache=False,
            logits_to_keep=columns.to(device),
        ).logits
        wanted = labels[:, 1:][:, columns].to(device)
        chosen = wanted != _IGNORED
        total = nn.functional.cross_entropy(logits[chosen].float(), wanted[chosen], reduction="sum")
        return total, int(chosen.sum())

    def _held_out(self) -> float | None:
        if not self.data.held_out:
            return None
        total, count = 0.0, 0
        with torch.no_grad():
            for batch in samples.batches(self.data.held_out, self.settings.batch, self.settings.seed, 0):
                found, learned = self._loss(batch)
                total += found.item()
                count += learned
        return total / count

    def _resume(self) -> int:
        """How many steps are done; weights and moments are as they were after the last of them."""
        kept = read_checkpoint(self.folder)
        if kept is None:
            return 0
        if kept.digest != self.digest:
            raise BatosError(
                "NAME_TAKEN",
                f"{self.folder.name} has a training of other data, settings or base model, at step {kept.step}",
                "Give the same as then to go on with it, or --restart to begin anew, or another name.",
                step=kept.step,
            )
        with torch.no_grad():
            for name, weight in self._weights.items():
                weight.copy_(kept.tensors[name])
                self._optimizer.state[weight] = {
                    "step": torch.tensor(float(kept.step)),
                    "exp_avg": kept.tensors[f"{name}.first"].to(weight.device),
                    "exp_avg_sq": kept.tensors[f"{name}.second"].to(weight.device),
                }
        return kept.step

    def _save(self, step: int) -> None:
        tensors: dict[str, torch.Tensor] = {}
        for name, weight in self._weights.items():
            if not bool(torch.isfinite(weight).all()):
                raise _diverged(step)
            state = self._optimizer.state[weight]
            tensors[name] = weight.detach().cpu()
            tensors[f"{name}.first"] = state["exp_avg"].cpu()
            tensors[f"{name}.second"] = state["exp_avg_sq"].cpu()
        write_checkpoint(self.folder, Checkpoint(self.digest, step, tensors))

    def _write(self) -> Path:
        """The adapter, in the type in which the model is kept: the bank keeps no other."""
        folder = self.folder / "adapter"
        folder.mkdir(exist_ok=True)
        weights = {name: weight.detach().to("cpu", self._dtype) for name, weight in self._weights.items()}
        write_whole(folder / WEIGHTS, save(weights, metadata={"format": "pt"}))
        config: dict[str, Any] = self._model.peft_config["default"].to_dict()
        # Where the model lay while it was loaded means nothing to anybody; what it is, its digest says.
        config |= {"base_model_name_or_path": None, "base_model_digest": self._base_model, "inference_mode": True}
        config["target_modules"] = sorted(config["target_modules"])
        write_whole(folder / CONFIG, msgspec.json.format(msgspec.json.encode(config, order="sorted"), indent=2) + b"\n")
        return folder


def targets(model: Any) -> list[str]:
    """The ends of the names of the linears that are trained."""
    last = {name.rpartition(".")[2] for name in linears(model)}
    return [name for name in ATTENTION if name in last] if last.issuperset(ATTENTION) else sorted(last)


def _injected(model: Any, settings: TrainingSettings) -> tuple[Any, dict[str, torch.Tensor]]:
    """The model with matrices to train, and these by the name that PEFT's file has for each."""
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=2 * settings.rank,
        lora_dropout=0.0,
        target_modules=targets(model),
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(settings.seed)
    with warnings.catch_warnings():
        # PEFT asks this transformers a question under its old name.
        warnings.filterwarnings("ignore", ".*is_gradient_checkpointing", FutureWarning)
        wrapped = get_peft_model(model, config)
    wrapped.eval()  # nothing is to be dropped out, of the base model neither
    weights: dict[str, torch.Tensor] = {}
    for name, module in wrapped.named_modules():
        if isinstance(module, LoraLayer):
            for kind, matrices in (("lora_A", module.lora_A), ("lora_B", module.lora_B)):
                weights[f"{name}.{kind}.weight"] = matrices["default"].get_parameter("weight")
    return wrapped, weights


def _share(step: int, steps: int) -> float:
    """How much of the rate step number `step` has, from 0 on."""
    warm = max(1, round(steps * _WARM_UP))
    if step < warm:
        return (step + 1) / warm
    return _FLOOR + (1 - _FLOOR) * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _diverged(step: int) -> BatosError:
    return BatosError(
        "TRAINING_FAILED",
        f"the training has diverged at step {step}: its numbers are no longer finite",
        "Begin anew with a lower rate: --rate and --restart.",
        step=step,
    )
