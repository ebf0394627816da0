"""Homes in which nothing can be, and files in them that are noise: each command says so in words, and at once."""

from __future__ import annotations

import pytest

from cli import lifecycle
from ops import medic
from ops.supervisor import remains
from protocol.errors import BatosError
from protocol.home import Home


async def test_a_disk_without_room_is_said_before_anything_starts(short_path, monkeypatch):
    monkeypatch.setattr(lifecycle, "ROOM", 1 << 62)
    home = Home(short_path)
    with pytest.raises(BatosError, match="bytes left") as caught:
        await lifecycle.up(home, lambda _: None)
    assert caught.value.code == "STORAGE"
    assert str(home.root) in caught.value.message
    assert not remains(home)


async def test_a_file_is_no_home_and_nothing_runs_in_it(short_path):
    home = Home(short_path / "file")
    home.root.touch()
    assert not (await lifecycle.status(home))["ready"]
    assert (await lifecycle.down(home, lambda _: None))["already"]
    with pytest.raises(BatosError, match="cannot prepare"):
        await lifecycle.up(home, lambda _: None)


@pytest.mark.parametrize("noise", [b"", b"\x00\xff", b"[]", b"{}", b'{"restarts": 3}', b'{"restarts": {"a": "b"}}'])
async def test_a_count_of_restarts_that_is_noise_is_none(short_path, noise):
    home = Home(short_path).prepare()
    path = home.run / "medic.json"
    path.write_bytes(noise)
    found = await lifecycle.status(home)
    assert all(actor["restarts"] == 0 for actor in found["actors"].values())
    assert medic._counted(path) == {}
