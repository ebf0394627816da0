"""The model code on a machine that has torch, transformers and peft, and nothing else of what the house stands on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MISSING = """
import sys

class Missing:
    names = {"msgspec", "ormsgpack", "zmq", "ZODB", "ZEO", "persistent", "transaction", "BTrees", "llguidance", "structlog"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""


def ran_alone(code, *arguments):
    """`code` in a fresh process where the rest of the house cannot be imported."""
    command = [sys.executable, "-c", MISSING + code, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_model_code_needs_the_model_libraries_alone():
    model = ["bank", "decoding", "device", "expert", "lora", "plans", "prefixes", "rules", "sampling", "tiers"]
    names = [*(f"actors.inference.{name}" for name in model), "bench.claims"]
    done = ran_alone("for name in sys.argv[1:]: __import__(name)", *names)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["protocol.codec", "actors.inference.constraints", "world.store"])
def test_what_needs_more_is_missing_there(name):
    done = ran_alone("__import__(sys.argv[1])", name)
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr
