"""The measurement of a graphics card, at a size that a processor runs, where only the model's libraries are."""

from __future__ import annotations

import json

import pytest
import torch

RUN = "import runpy; runpy.run_module('bench.gpu', run_name='__main__', alter_sys=True)"
EXACT = ("logits", "spoiled", "changed in any bit", "a name given", "experts not in a slot", "errors")
"""What must hold at any size, on any machine, at any load."""


@pytest.fixture(scope="module")
def said(alone):
    return alone(RUN, "--small", "--soak", "1", "--json")


def test_every_claim_is_measured_on_both_kinds_of_weights(said):
    assert said.returncode == 0, said.stderr
    claims = json.loads(said.stdout.splitlines()[-1])["claims"]
    of = {
        kind: [claim["id"].partition(": ")[2] for claim in claims if claim["id"].startswith(kind)]
        for kind in ("bf16", "nf4")
    }
    assert of["bf16"] == of["nf4"]
    assert len(of["bf16"]) >= 15
    assert all(claim["ours"] > 0 for claim in claims if claim["unit"] in ("ms", "tokens/s", "GB/s", "x"))


def test_what_no_load_excuses_holds(said):
    claims = json.loads(said.stdout.splitlines()[-1])["claims"]
    exact = [claim for claim in claims if any(word in claim["id"] for word in EXACT)]
    assert len(exact) == 12
    assert [claim["id"] for claim in exact if not claim["ok"]] == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_without_a_card_it_says_so(alone):
    done = alone(RUN)
    assert (done.returncode, done.stdout) == (2, "")
    assert "CUDA" in done.stderr
    assert "--small" in done.stderr
