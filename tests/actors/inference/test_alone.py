"""The model code on a machine that has torch, transformers and peft, and nothing else of what the house stands on."""

from __future__ import annotations

import pytest


def test_the_model_code_needs_the_model_libraries_alone(alone):
    # They bring what else there is of it: which rooms that is, a contract in pyproject.toml says.
    names = ["actors.inference.decoding.decoding", "actors.inference.experts.tiers", "bench.claims"]
    done = alone("for name in sys.argv[1:]: __import__(name)", *names)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["protocol.codec", "actors.inference.forms.constraints", "world.store"])
def test_what_needs_more_is_missing_there(alone, name):
    done = alone("__import__(sys.argv[1])", name)
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr
