"""Spoiled adapters at a small size: all refused here, and a spoiled one that is not spoiled is found out."""

from __future__ import annotations

import pytest
import torch

from actors.inference.decoding.bank import linears
from bench.bank import importing, spoiling
from bench.bank.adapters import samples
from bench.bank.refusing import measure
from bench.bank.stand import Scene, stand
from bench.bank.weights import SMALL, Numbers, random_model, twin

# PEFT asks this transformers a question under its old name.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")


@pytest.fixture
def scene(tmp_path):
    model = random_model(SMALL, "cpu", torch.float32)
    shapes = linears(model)
    made = samples(shapes, torch.float32, tmp_path, number=3, rank=8)
    return Scene(lambda: twin(model), Numbers(), 8, made)


def test_all_is_refused_here_and_not_by_the_peers(scene, tmp_path):
    spoiled, after, alpha = importing.measure(scene, tmp_path)
    assert (spoiled.ours, after.ours) == (0, 0)
    assert all(claim.ok for claim in (spoiled, after, alpha))
    assert all(number > 0 for number in spoiled.peers.values())
    assert alpha.peers["PEFT hotswap"] <= 1e-4 * alpha.peers["largest logit"]


def test_a_peer_that_swaps_weights_alone_would_be_found_out(scene, tmp_path, monkeypatch):
    monkeypatch.setattr("peft.utils.hotswap._update_scaling", lambda *_, **__: None)
    alpha = importing._alpha(scene, stand(scene), tmp_path)
    assert alpha.ok
    assert alpha.peers["PEFT hotswap"] > 1e-4 * alpha.peers["largest logit"]


def test_one_that_is_served_is_counted(scene, tmp_path, monkeypatch):
    whole = dict(spoiling.foreign())
    monkeypatch.setattr(spoiling, "foreign", lambda: {**whole, "nothing": lambda _: None})
    spoiled, *_ = importing.measure(scene, tmp_path)
    assert (spoiled.ours, spoiled.ok) == (1, False)


def test_a_stored_one_that_is_served_is_counted(scene, monkeypatch):
    whole = dict(spoiling.stored())
    monkeypatch.setattr(spoiling, "stored", lambda: {**whole, "nothing": lambda content: content})
    spoiled, after, _ = measure(scene)
    assert (spoiled.ours, spoiled.ok, after.ok) == (1, False, True)
