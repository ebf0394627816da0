"""An actor whose start dies of a mistake of ours ends its process: supervisord starts it anew, and `status` counts that."""

from __future__ import annotations

import asyncio
from importlib import import_module

import pytest

from protocol.home import find_home

ACTORS = {"guardian": "Guardian", "inference": "Inference", "memory": "Memory", "orchestrator": "Orchestrator"}


class MistakeError(Exception):
    """What nobody has foreseen."""


@pytest.mark.parametrize("name", ACTORS)
async def test_a_start_that_dies_of_a_mistake_ends_the_process(name, short_path, monkeypatch):
    module = import_module(f"actors.{name}.actor")

    async def mistaken(_self):
        await asyncio.sleep(0.05)
        raise MistakeError

    monkeypatch.setattr(getattr(module, ACTORS[name]), "begin", mistaken)
    with pytest.raises(MistakeError):
        await asyncio.wait_for(module.run(find_home(short_path).prepare()), 60)
