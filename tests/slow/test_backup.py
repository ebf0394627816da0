"""A hundred times kill -9: fifty in the middle of a backup, fifty in the middle of a restore."""

from __future__ import annotations

import pytest

from tests.actors.storage.backup.conftest import awakened, life, storage, tell
from tests.actors.storage.backup.kills import backups_are_killed, restores_are_killed

__all__ = ["awakened", "life", "storage", "tell"]

pytestmark = pytest.mark.slow


def test_no_kill_of_fifty_spoils_a_backup(life, storage, tell):
    assert backups_are_killed(life, storage, tell, 50, blob=2_000_000) > 25


def test_no_kill_of_fifty_loses_a_home(life, storage, tell):
    assert restores_are_killed(life, storage, tell, 50, blob=2_000_000) >= 50
