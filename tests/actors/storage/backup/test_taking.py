"""A backup of a world that is in use: what a generation holds, what is copied again, and what is refused."""

from __future__ import annotations

import errno
import os
import subprocess
import threading

import pytest
from ZODB.scripts import repozo

from actors.orchestrator.journal.journal import Journal
from actors.storage.backup import folder as places
from actors.storage.backup import manifest, telling
from actors.storage.backup import taking as taking_module
from bus.process.lock import hold
from protocol.errors import BatosError
from protocol.home import Home
from world.version import SCHEMA


def files(folder):
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def code_of(call):
    with pytest.raises(BatosError) as raised:
        call()
    return raised.value


def test_a_generation_is_what_its_manifest_says(life, tell):
    for _ in range(3):
        life.publish()
    made = life.backup()
    (one,) = places.generations(life.backup_folder)
    assert made["full"] is True
    assert one.generation == made["generation"]
    assert one.world.tid == life.db.lastTransaction().hex() == made["world"]["tid"]
    assert (one.world.form, one.blobs.count) == (SCHEMA, 3)
    assert [file.name for file in one.files] == ["batos.toml"]
    for kept in one.named():
        assert (
            manifest.Kept(path=kept.path, bytes=kept.bytes, sha256=kept.sha256).bytes
            == (life.backup_folder / kept.path).stat().st_size
        )
    home, _ = life.restore()
    objects, applied, mandates = tell(home)
    assert objects == sorted(applied) == ["M0001", "M0002", "M0003"]
    assert mandates == dict.fromkeys(objects, "complete")
    assert home.config.read_text() == life.home.config.read_text()


def test_the_second_one_copies_only_what_is_new(life):
    for _ in range(5):
        life.publish()
    life.backup()
    before = files(life.backup_folder)
    life.publish()
    made = life.backup()
    assert (made["full"], made["generations"]) == (False, 2)
    after = files(life.backup_folder)
    assert {path: after[path] for path in before if not path.endswith((".dat", "lock"))} == {
        path: when for path, when in before.items() if not path.endswith((".dat", "lock"))
    }
    new = sorted(path for path in after.keys() - before.keys())
    assert sum(path.endswith(".blob") for path in new) == 1
    assert sum(path.endswith(".deltafs") for path in new) == 1
    assert not any(path.endswith(".fs") for path in new)


def test_where_nothing_has_happened_nothing_is_copied(life):
    life.publish()
    life.backup()
    size = sum(path.stat().st_size for path in life.backup_folder.rglob("*") if path.is_file())
    made = life.backup()
    assert made["copied"]["files"] == 1  # the list of its blobs
    after = sum(path.stat().st_size for path in life.backup_folder.rglob("*") if path.is_file())
    assert after - size < 8000


def test_after_a_pack_the_world_is_copied_whole_and_old_generations_stay(life, tell):
    life.publish()
    first = life.backup()
    with life.db.transaction() as connection:
        del connection.root()["objects"]["M0001"]
    life.db.pack()
    life.publish()
    second = life.backup()
    assert second["full"] is True
    for number, (made, names) in enumerate(((first, ["M0001"]), (second, ["M0002"]))):
        home, _ = life.restore(f"r{number}", generation=made["generation"])
        assert tell(home)[0] == names


def test_repozo_itself_can_recover_what_was_written(life, tmp_path):
    life.publish()
    life.backup()
    life.publish()
    life.backup()
    target = tmp_path / "recovered.fs"
    repozo.main(["-R", "-D", "2099-01-01-00-00-00", "-r", str(life.backup_folder / "world"), "-o", str(target)])
    assert target.read_bytes() == life.home.database.read_bytes()


def test_the_journal_knows_whatever_the_world_knows_while_both_go_on(life, tell):
    going = threading.Event()

    def go_on():
        while not going.is_set():
            life.publish(blob=500)

    writer = threading.Thread(target=go_on)
    life.publish()
    writer.start()
    try:
        made = [life.backup()["generation"] for _ in range(4)]
    finally:
        going.set()
        writer.join()
    for generation in made:
        home, found = life.restore(generation, generation=generation)
        objects, applied, mandates = tell(home)
        assert sorted(applied) == objects
        assert applied <= mandates.keys()
        # An end that the world has not seen is none.
        assert {mandate for mandate, state in mandates.items() if state == "complete"} <= applied
        assert found["reopened"] >= 0


def test_a_blob_whose_commit_has_not_ended_is_not_kept(life):
    life.publish()
    late = life.home.blobs / "0x00/0x00/0x00/0x00/0x00/0x00/0x77/0x77/0xffffffffffffff00.blob"
    late.parent.mkdir(parents=True)
    late.write_bytes(b"half")
    life.backup()
    (one,) = places.generations(life.backup_folder)
    assert one.blobs.count == 1
    assert list(life.backup_folder.rglob("*ff00.blob")) == []


def test_what_lies_in_the_folders_for_the_user_goes_along(life):
    life.publish()
    (life.home.root / "edits").mkdir()
    (life.home.root / "edits" / "box.area_.py").write_text("def area_(self): ...")
    (life.home.log).mkdir()
    (life.home.log / "storage.log").write_text("no state")
    life.backup()
    home, _ = life.restore()
    assert (home.root / "edits" / "box.area_.py").read_text() == "def area_(self): ..."
    assert not home.log.exists()


def test_a_file_that_is_gone_or_short_is_copied_again(life, tell):
    life.publish()
    life.backup()
    for path in [*life.backup_folder.rglob("*.blob"), *(life.backup_folder / "world").glob("*.fs")]:
        path.write_bytes(b"")
    life.publish()
    assert life.backup()["full"] is True
    home, _ = life.restore()
    assert tell(home)[0] == ["M0001", "M0002"]


# What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ours", [False, True])
def test_a_folder_of_other_things_with_names_as_in_a_backup_is_left_alone(life, short_path, monkeypatch, ours):
    life.publish()
    folder = short_path / "family"
    for name in ("generations", "files"):
        (folder / name).mkdir(parents=True)
        (folder / name / "mine.txt").write_text("mine")
    if ours:  # of a first backup that was killed
        (folder / "unfinished").write_text("")
    monkeypatch.setattr(taking_module.world, "take", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    assert code_of(lambda: life.backup(folder)).code == ("STORAGE" if ours else "BAD_BACKUP")
    assert (folder / "files" / "mine.txt").exists() is not ours


def test_no_world_no_folder_and_a_folder_within_the_home_are_refused(life, short_path):
    life.publish()
    inside = code_of(lambda: life.backup(life.home.root / "backups"))
    around = code_of(lambda: life.backup(life.home.root.parent))
    file = short_path / "file"
    file.write_text("mine")
    taken = short_path / "taken"
    taken.mkdir()
    (taken / "thesis.txt").write_text("mine")
    other = code_of(lambda: life.backup(taken))
    no_folder = code_of(lambda: life.backup(file))
    nobody = code_of(lambda: telling.backup(Home(short_path / "none"), short_path / "b", [].append, own=False))
    assert {error.code for error in (inside, around, other, no_folder, nobody)} == {"BAD_BACKUP"}
    assert all(error.hint for error in (inside, around, other, no_folder, nobody))
    assert [path.name for path in taken.iterdir()] == ["thesis.txt"]
    assert not (short_path / "b").exists()
    assert not (life.home.root / "backups").exists()


def test_another_worlds_backup_is_left_alone(life, short_path, awakened, tmp_path):
    life.publish()
    life.backup()
    before = files(life.backup_folder)
    (tmp_path / "w").mkdir()
    stranger = Home(tmp_path / "w" / "home")
    from ZODB import DB

    from actors.storage.world_file import WorldFile
    from world import awakening

    stranger.blobs.mkdir(parents=True)
    db = DB(WorldFile(str(stranger.database), blob_dir=str(stranger.blobs)))
    awakening.awaken(db)
    db.close()
    error = code_of(lambda: telling.backup(stranger, life.backup_folder, [].append, own=False))
    assert (error.code, str(life.home.root) in error.message) == ("BAD_BACKUP", True)
    assert files(life.backup_folder) == {**before, "lock": files(life.backup_folder)["lock"]}


def test_a_pack_does_not_change_who_a_world_is(life):
    life.publish()
    first = life.backup()
    for _ in range(3):
        life.publish()
        life.db.pack()
    assert life.backup()["world"]["id"] == first["world"]["id"]


def test_two_at_once_are_not(life):
    life.publish()
    life.backup()
    with hold(life.backup_folder / "lock", "another"):
        error = code_of(life.backup)
    assert (error.code, str(os.getpid()) in error.message) == ("BUSY", True)


def test_a_world_elsewhere_is_not_ours_to_copy(life):
    life.home.config.write_text('[storage]\nuri = "zeo://example.com:9100"\n')
    assert code_of(life.backup).code == "BAD_CONFIG"


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("a disk of our own cannot be mounted")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_folder_keeps_its_generations_and_takes_the_next_once_there_is_room(life, small_disk, tell):
    life.publish()
    folder = small_disk / "backup"
    first = life.backup(folder)
    life.publish(blob=4_000_000)
    error = code_of(lambda: life.backup(folder))
    assert (error.code, "full" in error.message) == ("STORAGE", True)
    assert [one.generation for one in places.generations(folder)] == [first["generation"]]
    assert not (folder / "unfinished").exists()
    home, _ = life.restore(folder=folder)
    assert tell(home)[0] == ["M0001"]
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    assert life.backup(folder)["full"] is False


def test_a_folder_that_may_only_be_read_says_so_and_can_be_restored(life, small_disk, tell):
    life.publish()
    folder = small_disk / "backup"
    life.backup(folder)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    life.publish()
    error = code_of(lambda: life.backup(folder))
    assert (error.code, "cannot be written to" in error.message) == ("STORAGE", True)
    home, _ = life.restore(folder=folder)
    assert tell(home)[0] == ["M0001"]


def test_any_other_refusal_of_the_disk_is_told_as_one(life, monkeypatch):
    life.publish()

    def fail(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(taking_module, "_files", fail)
    error = code_of(life.backup)
    assert (error.code, "Input/output" in error.message) == ("STORAGE", True)
    assert places.good(life.backup_folder) == []
    monkeypatch.undo()
    life.backup()
    assert len(places.good(life.backup_folder)) == 1


def test_a_broken_journal_is_no_backup(life):
    life.publish()
    life.journal.close()
    data = bytearray(life.home.journal.read_bytes())
    data[:16] = b"no database here"
    life.home.journal.write_bytes(data)
    error = code_of(life.backup)
    assert (error.code, "journal" in error.message) == ("DAMAGED", True)
    assert places.good(life.backup_folder) == []
    life.home.journal.unlink()
    life.journal = Journal(life.home.journal)


def test_the_home_knows_where_its_backups_are(life, short_path):
    life.publish()
    made = [life.backup(short_path / name)["generation"] for name in ("one", "two", "one")]
    life.backup(life.home.backup, own=True)
    assert telling.known(life.home) == {str(short_path / "one"): made[2], str(short_path / "two"): made[1]}
    home, _ = life.restore(folder=short_path / "one")
    assert telling.known(home) == {}


def test_the_homes_own_backup_shares_the_blobs_and_keeps_one_generation(life, tell):
    life.publish(blob=50_000)
    life.backup(life.home.backup, own=True)
    life.publish(blob=50_000)
    made = life.backup(life.home.backup, own=True)
    (one,) = places.generations(life.home.backup)
    assert one.generation == made["generation"]
    kept = list((life.home.backup / "blobs").rglob("*.blob"))
    assert [path.stat().st_nlink for path in kept] == [2, 2]
    home, _ = life.restore(folder=life.home.backup)
    assert tell(home)[0] == ["M0001", "M0002"]


@pytest.mark.parametrize("when", ["before the copy", "after it"])
def test_a_pack_in_the_middle_begins_it_again(life, tell, monkeypatch, when):
    life.publish()
    life.publish()
    real, packed = repozo.do_backup, []

    def pack_once(options):
        if packed:
            return real(options)
        packed.append(1)
        if when == "before the copy":
            life.db.pack()
        real(options)
        if when != "before the copy":
            life.db.pack()
        return None

    monkeypatch.setattr(repozo, "do_backup", pack_once)
    life.backup()
    (one,) = places.generations(life.backup_folder)
    assert one.world.bytes == life.home.database.stat().st_size
    known = {kept.path for kept in one.named()}
    left = {f"world/{path.name}" for path in (life.backup_folder / "world").iterdir() if path.suffix != ".dat"}
    assert left <= known
    home, _ = life.restore()
    assert tell(home)[0] == ["M0001", "M0002"]


def test_a_home_that_is_half_restored_is_no_backup(life):
    life.publish()
    life.home.restored.mkdir()
    assert code_of(life.backup).code == "HALF_RESTORED"
    life.home.restored.rmdir()
