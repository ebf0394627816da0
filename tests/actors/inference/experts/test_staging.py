"""The staging folder: what waits in it, under which name, and where it goes."""

from __future__ import annotations

import pytest

from actors.inference.experts import staging
from protocol.errors import BatosError


@pytest.fixture
def folder(tmp_path):
    for path in ("robin/adapter_model.safetensors", "robin/adapter_config.json", "robin/README.md"):
        lay(tmp_path / path)
    for path in ("brick.safetensors", "babs.safetensors", "adapter_config.json", "notes.txt"):
        lay(tmp_path / path)
    return tmp_path


def lay(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(path.name)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_no_folder_is_an_empty_one(tmp_path):
    assert staging.found(tmp_path / "none") == []


def test_a_name_is_that_of_the_folder_or_of_the_file(folder):
    assert [staged.name for staged in staging.found(folder)] == ["babs", "brick", "robin"]


def test_what_was_taken_is_put_away_whole(folder):
    for staged in staging.found(folder):
        staging.settle(staged, folder, None)
    assert staging.found(folder) == []
    assert files(folder) == [
        "adapter_config.json",
        "imported/babs/adapter_config.json",
        "imported/babs/babs.safetensors",
        "imported/brick/adapter_config.json",
        "imported/brick/brick.safetensors",
        "imported/robin/README.md",
        "imported/robin/adapter_config.json",
        "imported/robin/adapter_model.safetensors",
        "notes.txt",
    ]


def test_a_refusal_stands_beside_what_was_refused(folder):
    robin = staging.found(folder)[-1]
    staging.settle(robin, folder, BatosError("BAD_EXPERT", "it is torn", "Mend it."))
    assert (folder / "refused" / "robin" / "reason.txt").read_text() == "it is torn\nMend it.\n"


def test_nothing_that_was_put_away_is_lost_to_its_namesake(folder):
    staging.settle(staging.found(folder)[-1], folder, None)
    lay(folder / "robin" / "adapter_model.safetensors")
    staging.settle(staging.found(folder)[-1], folder, None)
    assert sorted(path.name for path in (folder / "imported").iterdir()) == ["robin", "robin.1"]
