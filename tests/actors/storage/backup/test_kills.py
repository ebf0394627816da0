"""kill -9 in the middle of a backup and of a restore: a few times here, and by the fifty in `tests/slow`."""

from __future__ import annotations

from tests.actors.storage.backup.kills import backups_are_killed, restores_are_killed


def test_a_backup_that_is_killed_leaves_the_generations_as_they_were(life, storage, tell):
    assert backups_are_killed(life, storage, tell, 4) > 0


def test_a_restore_that_is_killed_leaves_a_home_that_says_so_or_none(life, storage, tell):
    assert restores_are_killed(life, storage, tell, 4) >= 4
