"""A home made of a generation: which one, what is refused, and what a restore that was killed leaves."""

from __future__ import annotations

import json
import shutil

import msgspec
import pytest

from actors.storage.backup import folder as places
from actors.storage.backup import manifest, restoring
from protocol.errors import BatosError
from protocol.home import Home


def code_of(call):
    with pytest.raises(BatosError) as raised:
        call()
    return raised.value


@pytest.fixture
def two(life):
    """Two generations: of one mandate, and of two."""
    life.publish()
    life.backup()
    life.publish()
    life.backup()
    return life, places.generations(life.backup_folder)


def test_the_newest_or_the_one_that_is_named(two, tell):
    life, (first, second) = two
    wanted = {
        "newest": {},
        "name": {"generation": first.generation},
        "beginning": {"generation": first.generation[:-1]},
        "moment": {"until": first.time + 0.5},
        "tid": {"tid": first.world.tid},
        "later": {"until": second.time + 60},
    }
    for name, words in wanted.items():
        home, found = life.restore(name, **words)
        is_second = name in ("newest", "later")
        assert found["generation"] == (second if is_second else first).generation
        assert tell(home)[0] == (["M0001", "M0002"] if is_second else ["M0001"])
        assert found["objects"] > 500


def test_none_that_is_not_there(two):
    life, (first, _) = two
    for words in (
        {"generation": "2099"},
        {"until": first.time - 1},
        {"tid": "0" * 16},
        {"generation": first.generation[:6]},
    ):
        error = code_of(lambda words=words: life.restore("none", **words))
        assert (error.code, "--list" in error.hint) == ("BAD_BACKUP", True)
    assert code_of(lambda: life.restore("none", folder=life.home.root)).code == "BAD_BACKUP"
    assert code_of(lambda: life.restore("none", folder=life.home.root / "nowhere")).code == "BAD_BACKUP"
    assert not (life.home.root.parent / "none").exists()


def test_a_home_with_a_world_or_a_journal_is_left_as_it_is(two, short_path):
    life, _ = two
    before = life.home.database.read_bytes()
    error = code_of(lambda: life.restore("home"))
    assert (error.code, "not empty" in error.message) == ("USAGE", True)
    assert life.home.database.read_bytes() == before
    half = Home(short_path / "half")
    half.root.mkdir()
    half.journal.write_bytes(b"mine")
    assert code_of(lambda: life.restore("half")).code == "USAGE"
    assert half.journal.read_bytes() == b"mine"


def test_settings_that_are_there_stay_and_the_others_lie_beside_them(two, short_path, tell):
    life, _ = two
    home = Home(short_path / "settled").prepare()
    home.config.write_text("# mine\n")
    life.restore("settled")
    assert home.config.read_text() == "# mine\n"
    assert home.config.with_name("batos.toml.restored").read_text() == life.home.config.read_text()
    assert tell(home)[0] == ["M0001", "M0002"]


@pytest.mark.parametrize(
    "what", ["world/*.fs", "world/*.deltafs", "blobs/**/*.blob", "journal/*.sqlite", "lists/*", "files/*"]
)
@pytest.mark.parametrize("how", ["gone", "short", "other"])
def test_a_damaged_file_is_named_and_nothing_is_restored(two, short_path, what, how):
    life, _ = two
    path = max(life.backup_folder.glob(what))
    data = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(data[:-1] if how == "short" else data[:-1] + bytes([data[-1] ^ 1]))
    error = code_of(lambda: life.restore("again"))
    assert (error.code, str(path) in error.message) == ("DAMAGED", True)
    home = Home(short_path / "again")
    assert not home.world.exists()
    assert not home.restoring.exists()
    home.prepare()  # it may begin anew


def test_a_manifest_that_cannot_be_read_is_shown_and_the_older_one_restored(two, tell):
    life, (first, second) = two
    manifest.path_of(life.backup_folder, second.generation).write_text('{"format": 1, "generation": ')
    found = life.restore
    assert code_of(lambda: found("newest")).code == "DAMAGED"
    home, _ = life.restore("older", generation=first.generation)
    assert tell(home)[0] == ["M0001"]
    # The next backup takes nothing for granted, and removes nothing of it.
    life.publish()
    assert life.backup()["full"] is True
    home, _ = life.restore("next")
    assert tell(home)[0] == ["M0001", "M0002", "M0003"]


def test_what_a_newer_program_has_made_names_the_version_that_it_needs(two):
    life, (_, second) = two
    path = manifest.path_of(life.backup_folder, second.generation)
    world = msgspec.structs.replace(second.world, form=99)
    path.write_bytes(manifest.text_of(msgspec.structs.replace(second, world=world, program="9.4.1")))
    error = code_of(lambda: life.restore("newer"))
    assert (error.code, "batos 9.4.1" in error.hint) == ("NEWER_WORLD", True)
    raw = json.loads(path.read_text())
    path.write_text(json.dumps({"format": 2, "generation": second.generation, "program": "9.4.2", "other": raw}))
    error = code_of(lambda: life.restore("newer"))
    assert (error.code, "batos 9.4.2" in error.hint) == ("NEWER_WORLD", True)


def test_a_newer_journal_names_the_version_that_it_needs(life):
    life.publish()
    life.journal._database._ask(
        lambda: life.journal._db.execute("PRAGMA user_version = 99"), durable=True, alone=True
    ).result()
    life.backup()
    error = code_of(lambda: life.restore("newer"))
    assert (error.code, "99" in error.message, "batos" in error.hint) == ("NEWER_WORLD", True, True)


def test_an_end_that_the_world_has_not_seen_is_open_again(life, tell):
    life.publish()
    tid = life.db.lastTransaction()
    life.backup()
    late = life.publish()
    # As where the journal was copied a moment after the world.
    one = places.generations(life.backup_folder)[-1]
    shutil.rmtree(life.backup_folder / "journal")
    (life.backup_folder / "journal").mkdir()
    from actors.storage.backup import taking

    journal = taking._journal(life.home, life.backup_folder, one.generation, None)
    path = manifest.path_of(life.backup_folder, one.generation)
    path.write_bytes(manifest.text_of(msgspec.structs.replace(one, journal=journal)))
    home, found = life.restore()
    objects, _, mandates = tell(home)
    assert (objects, found["reopened"], found["world"]["tid"]) == (["M0001"], 1, tid.hex())
    assert mandates == {"M0001": "complete", late: "accepted"}


def test_what_was_killed_before_it_was_verified_begins_anew(two, short_path, tell):
    life, _ = two
    home = Home(short_path / "again")
    (home.restoring / "world").mkdir(parents=True)
    (home.restoring / "world" / "world.fs").write_bytes(b"FS30 half")
    error = code_of(home.prepare)
    assert (error.code, "batos restore" in error.hint) == ("HALF_RESTORED", True)
    _, found = life.restore()
    assert found["finished"] is False
    assert tell(home.prepare())[0] == ["M0001", "M0002"]


@pytest.mark.parametrize("moves", range(5))
def test_what_was_killed_while_it_moved_is_finished(two, short_path, tell, monkeypatch, moves):
    life, _ = two

    class Killed(BaseException):
        pass

    left = [moves]
    real = restoring.Path.rename

    def rename(self, target):
        if self.is_relative_to(short_path / "again") and "restored" in self.parts:
            if not left[0]:
                raise Killed
            left[0] -= 1
        return real(self, target)

    monkeypatch.setattr(restoring.Path, "rename", rename)
    killed = False
    try:
        life.restore()
    except Killed:
        killed = True
    monkeypatch.undo()
    home = Home(short_path / "again")
    assert killed == (moves < 3)  # the world, the journal, the settings
    if killed:
        assert code_of(home.prepare).code == "HALF_RESTORED"
        _, found = life.restore()
        assert (found["finished"], found["objects"] > 500) == (True, True)
    assert tell(home.prepare())[0] == ["M0001", "M0002"]
    assert not home.restored.exists()


def test_the_backup_is_only_read(two):
    life, _ = two
    before = {path: path.stat().st_mtime_ns for path in life.backup_folder.rglob("*")}
    life.restore()
    assert {path: path.stat().st_mtime_ns for path in life.backup_folder.rglob("*")} == before


def test_a_restored_home_goes_on_and_its_backups_with_it(two, tell):
    life, _ = two
    home, _ = life.restore()
    life.close()
    life.home = home
    life.open()
    life.publish()
    made = life.backup()
    assert made["generations"] == 3
    again, _ = life.restore("third")
    assert tell(again)[0] == ["M0001", "M0002", "M0003"]


def test_a_home_that_would_lie_in_the_backup_is_refused_and_the_backup_stands(two, tell):
    life, _ = two
    before = {path for path in life.backup_folder.rglob("*") if path.is_file()}
    for name in (life.backup_folder.name, f"{life.backup_folder.name}/within"):
        assert code_of(lambda name=name: life.restore(name)).code == "BAD_BACKUP"
    assert {path for path in life.backup_folder.rglob("*") if path.is_file()} == before
    home, _ = life.restore("again")
    assert tell(home)[0] == ["M0001", "M0002"]


def test_what_else_stands_in_the_world_s_folder_is_not_removed(two, short_path):
    life, _ = two
    home = Home(short_path / "again").prepare()
    (home.world / "world.fs.lock").write_text("1")  # of a storage that never had a world
    (home.world / "letters").mkdir()
    mine = home.world / "letters" / "mine.txt"
    mine.write_text("mine")
    error = code_of(lambda: life.restore("again"))
    assert (error.code, str(mine) in error.message) == ("USAGE", True)
    assert mine.read_text() == "mine"
    mine.unlink()
    life.restore("again")


def test_settings_that_are_linked_to_are_in_the_backup(life, short_path):
    said = life.home.config.read_text()
    life.home.config.rename(short_path / "dotfiles.toml")
    life.home.config.symlink_to(short_path / "dotfiles.toml")
    life.publish()
    life.backup()
    home, _ = life.restore("again")
    assert (home.config.is_symlink(), home.config.read_text()) == (False, said)
