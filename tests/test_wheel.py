"""The wheel, as somebody installs it who has no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("protocol", "bus", "world", "actors", "batos", "cli", "ops")
LICENCES = ("LICENSE", "NOTICE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    # setuptools leaves its build folder where it builds, so it builds a copy.
    tree = tmp_path_factory.mktemp("tree")
    for entry in (*PACKAGES, "pyproject.toml", "README.md", *LICENCES):
        subprocess.run(["cp", "-r", ROOT / entry, tree], check=True)
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "-w", out, tree]
    subprocess.run(command, check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INDEX": "1"})
    (made,) = out.glob("batos-*.whl")
    return made


def test_all_sources_and_data_are_in_the_wheel(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert any(path.startswith("world/image/") for path in wanted)
    assert any(path.startswith("ops/") and path.endswith(".conf") for path in wanted)
    assert wanted - inside == set()
    assert {path.split("/")[0] for path in inside if ".dist-info/" not in path} == set(PACKAGES)


def test_licence_and_notice_are_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as inside:
        (folder,) = {path.split("/")[0] for path in inside.namelist() if ".dist-info/" in path}
        for file in LICENCES:
            assert inside.read(f"{folder}/licenses/{file}") == (ROOT / file).read_bytes()
        metadata = inside.read(f"{folder}/METADATA").decode()
    assert "License-Expression: Apache-2.0\n" in metadata


def test_the_command_runs_from_anywhere(wheel, tmp_path):
    place = tmp_path / "site"
    target = ["--no-deps", "--no-index", "--target", place, wheel]
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *target], check=True)
    # -P keeps the folder that we stand in out of the path, -c and the assertion an installed checkout.
    code = (
        "import sys, cli.main, importlib.resources as r; "
        f"assert cli.main.__file__.startswith({str(place)!r}), cli.main.__file__; "
        "assert (r.files('world') / 'image').is_dir(); "
        "sys.exit(cli.main.main(['--version']))"
    )
    told = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert "8." in told.stdout
