"""A house that is small enough to count: a model of two linears, its bank and tiers, and experts by one letter."""

from __future__ import annotations

import pytest
import torch

from actors.inference.decoding.bank import Bank
from actors.inference.experts.tiers import Tiers
from actors.inference.weights.expert import Content, Layout, write_expert
from actors.inference.weights.lora import Adapter, Pair, Shape
from protocol.errors import BatosError

BASE = "ba5e" * 16
SHAPES = {"layers.0": Shape(4, 3), "layers.1": Shape(3, 4)}
SIZE = 2 * (4 + 3 + 3 + 4) * 4
"""Bytes of an expert in memory."""


class Model(torch.nn.Module):
    dtype, device = torch.float32, torch.device("cpu")

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 4))

    def get_output_embeddings(self):
        return None


class House:
    """A bank over a small model, its tiers, and experts `content("a")` with files of their own."""

    def __init__(self, folder, slots=2, warm_bytes=10**9):
        torch.manual_seed(0)
        self.folder = folder
        self.model = Model()
        self.bank = Bank(self.model, slots=slots, rank=2)
        self.tiers = Tiers(self.bank, BASE, warm_bytes, clock=lambda: 7.0)
        self.contents = {}

    def content(self, name):
        if name not in self.contents:
            torch.manual_seed(sum(name.encode()))
            pairs = {at: Pair(torch.randn(2, s.inputs), torch.randn(s.outputs, 2)) for at, s in SHAPES.items()}
            path = self.folder / name
            made = write_expert(Adapter(2, 2.0, pairs), Layout(SHAPES, BASE, torch.float32, 2), path)
            self.contents[name] = Content(name, made.sha256, BASE, 2, made.bytes, path)
        return self.contents[name]

    def activate(self, *names):
        for name in names:
            self.tiers.activate(self.content(name))

    def tier(self, *names):
        return [self.tiers.place(self.content(name).sha256).tier for name in names]

    def reason(self, name):
        return self.tiers.place(self.content(name).sha256).reason

    def output(self, name):
        """What the model says through this expert, which is brought where it must be."""
        content = self.content(name)
        with torch.inference_mode(), self.tiers.hold([content]) as slots:
            self.bank.serve([slots[content.sha256]])
            try:
                return self.model.layers(torch.ones(1, 2, 4))
            finally:
                self.bank.serve(())


def refused(work):
    with pytest.raises(BatosError) as caught:
        work()
    assert caught.value.hint
    return caught.value


def prefetch(house, plan, *names):
    house.tiers.prefetch(plan, [house.content(name) for name in names])
