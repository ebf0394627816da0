"""A home: where it is, what it is made of, and what its configuration may say."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from protocol.errors import BatosError
from protocol.home import MAX_SOCKET_PATH, Home, Settings, duration, find_home


def test_the_home_is_the_named_one_or_the_environments_or_the_users(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BATOS_HOME", "/somewhere")
    assert find_home("/named").root == Path("/named")
    assert find_home().root == Path("/somewhere")
    monkeypatch.delenv("BATOS_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert find_home().root == Path("/data/batos")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert find_home().root == Path("/home/me/.local/share/batos")
    assert find_home("~/x").root == Path("/home/me/x")
    monkeypatch.chdir(tmp_path)
    assert find_home("here").root == tmp_path / "here"


def test_everything_stands_under_the_root() -> None:
    home = Home(Path("/r"))
    for path in (home.config, home.run, home.log, home.database, home.blobs, home.journal, *home.socket_paths()):
        assert path.is_relative_to("/r")
    assert home.bus == "ipc:///r/run/bus.sock"
    assert Path(home.bus.removeprefix("ipc://")) in home.socket_paths()


def test_prepare_makes_folders_that_only_the_owner_enters_and_may_be_repeated(short_path: Path) -> None:
    home = Home(short_path / "h").prepare()
    home.run.chmod(0o755)
    home.prepare()
    for folder in (home.root, home.run, home.log, home.world, home.blobs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_prepare_shuts_others_out_of_a_home_that_was_open(short_path: Path) -> None:
    home = Home(short_path / "h")
    home.blobs.mkdir(parents=True)
    (home.root / "training" / "a").mkdir(parents=True)
    files = [
        home.journal,
        *(home.root / f"journal.sqlite{end}" for end in ("-wal", "-shm")),
        home.config,
        home.database,
        *(home.world / f"world.fs{end}" for end in (".index", ".lock", ".tmp")),
        home.blobs / "0x01.blob",
        home.root / "training" / "a" / "adapter_model.safetensors",
    ]
    for file in files:
        file.write_bytes(b"x")
    outside = short_path / "outside"
    outside.mkdir()
    (outside / "theirs").write_bytes(b"x")
    (home.world / "link").symlink_to(outside)
    (home.root / "dead link").symlink_to("nowhere")
    folders = [home.root, home.world, home.blobs, home.root / "training", home.root / "training" / "a"]
    for path in (*folders, outside):
        path.chmod(0o777)
    for file in (*files, outside / "theirs"):
        file.chmod(0o666)
    home.database.chmod(0o444)
    home.prepare()
    assert {mode(folder) for folder in folders} == {0o700}
    assert {mode(file) for file in files if file != home.database} == {0o600}
    assert mode(home.database) == 0o400, "nothing is given that was not there"
    assert (mode(outside), mode(outside / "theirs")) == (0o777, 0o666), "a link is not followed"


def test_a_path_too_long_for_a_socket_is_refused_before_anything_is_made(short_path: Path) -> None:
    longest = max(len(os.fsencode(path)) for path in Home(Path("/")).socket_paths())
    room = MAX_SOCKET_PATH - 12 - longest - len(os.fsencode(short_path))
    fitting, long = Home(short_path / ("x" * (room - 1))), Home(short_path / ("x" * (room + 1)))
    fitting.prepare()
    with pytest.raises(BatosError) as caught:
        long.prepare()
    assert caught.value.code == "PATH_TOO_LONG"
    assert "--home" in caught.value.hint
    assert not long.root.exists()


def test_a_home_that_cannot_be_made_is_said_to_be_so(short_path: Path) -> None:
    (short_path / "file").touch()
    with pytest.raises(BatosError) as caught:
        Home(short_path / "file" / "h").prepare()
    assert caught.value.code == "STORAGE"


def test_no_configuration_is_the_default(tmp_path: Path) -> None:
    assert Home(tmp_path).settings() == Settings()


def test_a_configuration_changes_what_it_names(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.config.write_text('[inference]\nmodel = "/m"\nseed = 7\n[guardian]\nmay_lack = ["landlock"]\n')
    settings = home.settings()
    assert (settings.inference.model, settings.inference.seed, settings.inference.device) == ("/m", 7, "auto")
    assert settings.guardian.may_lack == ["landlock"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[inference]\nmodle = 1\n", "modle"),
        ("[infernce]\n", "infernce"),
        ('[inference]\nthreads = "two"\n', "threads"),
        ("[inference]\nthreads = -1\n", "threads"),
        ("[inference]\nslots = 0\n", "slots"),
        ("[inference]\nrank = 100000\n", "rank"),
        ("[inference]\nwarm_bytes = -1\n", "warm_bytes"),
        ('[inference]\ndtype = "int3"\n', "auto|bfloat16"),
        ('[inference]\ndevice = "cuda0"\n', "auto|cpu"),
        ("[memory]\nchunk_tokens = 3\n", "chunk_tokens"),
        ("[guardian]\nworkers = -1\n", "workers"),
        ("[orchestrator]\nqueue = 0\n", "queue"),
        ("[orchestrator]\ndepth = 0\n", "depth"),
        ("[orchestrator]\neffects = -3\n", "effects"),
        ("[inference\n", "line 1"),
        ("\xff", "UTF-8|utf-8"),
    ],
)
def test_a_mistake_in_the_configuration_is_named(tmp_path: Path, text: str, word: str) -> None:
    home = Home(tmp_path)
    home.config.write_text(text, encoding="latin-1")
    with pytest.raises(BatosError, match=word) as caught:
        home.settings()
    assert caught.value.code == "BAD_CONFIG"
    assert str(home.config) in caught.value.message


def test_a_configuration_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.config.mkdir()
    with pytest.raises(BatosError) as caught:
        home.settings()
    assert caught.value.code == "BAD_CONFIG"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('keep = "30"', "such as 30d"),
        ('keep = "0d"', "such as 30d"),
        ('keep = "for ever"', "such as 30d"),
        ("keep = 30", "keep"),
        ("keep_mandates = 0", "keep_mandates"),
        ("keep_mandates = -5", "keep_mandates"),
    ],
)
def test_how_long_is_kept_must_make_sense(tmp_path: Path, line: str, told: str) -> None:
    home = find_home(tmp_path)
    home.config.write_text(f"[orchestrator]\n{line}\n")
    with pytest.raises(BatosError, match=told) as caught:
        home.settings()
    assert caught.value.code == "BAD_CONFIG"
    assert str(home.config) in caught.value.message


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("90m", 5400), ("12h", 43_200), ("30d", 2_592_000), ("2w", 1_209_600)]
)
def test_a_time_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert duration(text) == seconds
