"""The user's hand over a house, for questions about reasons."""

from __future__ import annotations

import hashlib

import pytest

from tests.actors.orchestrator.hand.conftest import Hand


@pytest.fixture
def hand(house):
    return Hand(house)


@pytest.fixture
def files(house):
    """What stands in all that lasts: the world's file, and every row of the journal."""

    async def files():
        world = hashlib.sha256((house.path / "world.fs").read_bytes()).hexdigest()
        dump = await house.journal.run(lambda: "\n".join(house.journal._db.iterdump()), durable=False)
        return world, hashlib.sha256(dump.encode()).hexdigest()

    return files
