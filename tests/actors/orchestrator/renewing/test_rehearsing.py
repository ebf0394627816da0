"""Steps to a newer form: backed up first, tried on a copy, and taken only where that went well. The guardian's jail is the real one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3

import pytest
from ZODB import DB

from actors.orchestrator.actor import Orchestrator
from actors.orchestrator.journal import schema
from actors.orchestrator.journal.journal import Journal
from actors.orchestrator.renewing import processes, rehearsing
from actors.storage.backup import folder as backups
from actors.storage.world_file import WorldFile
from bus.stub import StubBus
from protocol.errors import BatosError
from protocol.home import Home, Settings, Storage
from world import awakening
from world.finding import mentions, reach
from world.method import UvmMethod
from world.store import Store, commit
from world.uvm import UvmObject

AREA = "def area_(self):\n    return self.width * self.height\n"
SUM = "def area_(self):\n    return self.width + self.height\n"
CASE = {"slots": {"width": 3, "height": 4}, "returns": 12}
OLD = awakening.CURRENT - 1


class Old:
    """A home whose world is of the form before this program's, as its storage has it open."""

    def __init__(self, folder):
        self.home = Home(folder / "home").prepare()
        self.db = DB(WorldFile(str(self.home.database), blob_dir=str(self.home.blobs)))
        awakening.awaken(self.db)
        with commit(self.db, user="test", description="a box") as connection:
            box = UvmObject("box", width=5, height=6)
            box.set_slot("parent*", connection.root()["traits_obj"])
            box.set_slot("area_", UvmMethod("area_", source=AREA, author="test", examples=[CASE]))
            connection.root()["objects"]["box"] = box
            connection.root()["schema_version"] = OLD
        with commit(self.db, user="test", description="which methods use which names") as connection:
            mentions.build(connection, (here for _, here in reach.objects(connection)))
        self.store = Store(self.db, "file://")
        Journal(self.home.journal).close()
        self.waited = []

    async def keep(self, caller, settings=None):
        await rehearsing.keep_world(self.home, self.store, caller, settings or Settings(), self.waited.append)

    @property
    def form(self):
        return awakening.schema_version(self.db)

    def generations(self):
        return backups.good(self.home.backup)


@pytest.fixture
def old(short_path):
    made = Old(short_path)
    yield made
    made.store.close()


@pytest.fixture
def guardian(jail):
    async def run(request):
        return await jail.begin(request)

    kinds = {"run": run, "resume": jail.resume, "trial": jail.run, "probe": jail.run, "judge": jail.run}
    return StubBus({("guardian", kind): answer for kind, answer in kinds.items()})


@pytest.fixture
def last_step(monkeypatch):
    """Have another last step taken, in this process: in the rehearsal and in the world alike."""

    def take(step):
        monkeypatch.setattr(awakening, "_STEPS", (*awakening._STEPS[:-1], step))

    return take


async def failing(call):
    with pytest.raises(BatosError) as raised:
        await call
    return raised.value


async def test_before_the_steps_there_is_a_backup_and_the_copy_is_gone(old, guardian):
    await old.keep(guardian)
    (kept,) = old.generations()
    assert (kept.world.form, kept.world.tid) == (OLD, old.db.lastTransaction().hex())
    assert [said.partition(" before")[0].partition(" of")[0] for said in old.waited] == ["a backup", "the rehearsal"]
    assert not old.home.rehearsal.exists()
    assert old.form == OLD  # the caller takes the steps
    assert awakening.awaken(old.db) == awakening.CURRENT


async def test_of_several_attempts_the_newest_backup_stays(old, guardian):
    await old.keep(guardian)
    first = old.generations()
    await old.keep(guardian)
    (kept,) = old.generations()
    assert kept.generation > first[0].generation


async def test_a_step_that_raises_leaves_the_world_and_says_where_the_backup_is(old, guardian, last_step):
    def step(connection):
        connection.root()["objects"].clear()
        raise KeyError("lost")

    last_step(step)
    before = old.home.database.read_bytes()
    error = await failing(old.keep(guardian))
    assert (error.code, error.exit_code, error.is_hopeless) == ("STEP_FAILED", 7, True)
    assert "KeyError: 'lost'" in error.message
    assert error.data["backup"] == str(old.home.backup)
    assert str(old.home.backup) in error.hint
    assert old.home.database.read_bytes() == before
    assert len(old.generations()) == 1
    assert not old.home.rehearsal.exists()


async def test_a_step_that_breaks_a_contract_is_none(old, guardian, last_step):
    def step(connection):
        box = connection.root()["objects"]["box"]
        box.set_slot("area_", UvmMethod("area_", source=SUM, author="test", examples=[CASE]))

    last_step(step)
    error = await failing(old.keep(guardian))
    assert (error.code, "box.area_" in error.message) == ("STEP_FAILED", True)
    assert old.form == OLD


async def test_a_contract_that_was_broken_before_stands_in_nobodys_way(old, guardian):
    with commit(old.db, user="test", description="broken by hand") as connection:
        box = connection.root()["objects"]["box"]
        box.set_slot("area_", UvmMethod("area_", source=SUM, author="test", examples=[CASE]))
    with commit(old.db, user="test", description="which methods use which names") as connection:
        mentions.build(connection, (here for _, here in reach.objects(connection)))
    await old.keep(guardian)
    assert len(old.generations()) == 1


async def test_a_step_after_which_an_object_is_missing_is_none(old, guardian, last_step):
    def step(connection):
        ghost = UvmObject("ghost")
        ghost._p_jar, ghost._p_oid = connection, b"\0" * 6 + b"\x7f\xff"
        connection.root()["lost"] = ghost

    last_step(step)
    error = await failing(old.keep(guardian))
    assert (error.code, "missing" in error.message) == ("STEP_FAILED", True)


async def test_damage_is_found_before_a_step_is_taken(old, guardian):
    before = old.home.database.read_bytes()
    old.home.database.write_bytes(before.replace(b"self.width * self.height", b"self.width % self.height"))
    error = await failing(old.keep(guardian))
    assert (error.code, "not the one that was judged" in error.message) == ("STEP_FAILED", True)


async def test_who_is_away_is_waited_for(old):
    def away(_request):
        raise BatosError("NOT_RUNNING", "no guardian")

    kinds = ("run", "resume", "trial", "probe", "judge")
    rehearsing_bus = StubBus({("guardian", kind): away for kind in kinds})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("actors.orchestrator.hand.checking.ASK_S", 0.2)
        error = await failing(old.keep(rehearsing_bus))
    assert error.is_away or error.code == "TIMEOUT"
    assert not old.home.rehearsal.exists()


async def test_where_there_is_nothing_to_do_nothing_is_done(old, guardian, monkeypatch, short_path):
    async def never(*_):
        raise AssertionError

    monkeypatch.setattr(processes, "back_up", never)
    await old.keep(guardian, Settings(storage=Storage(uri="zeo://example.com:9100")))
    awakening.awaken(old.db)
    await old.keep(guardian)
    new = Home(short_path / "new").prepare()
    await rehearsing.keep_journal(new, Settings(), old.waited.append)
    Journal(new.journal).close()
    await rehearsing.keep_journal(new, Settings(), old.waited.append)
    assert old.waited == []


# The journal ----------------------------------------------------------------------------------------------------


def make_old(path, spoiled=False):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA user_version = 3")
        if spoiled:
            db.execute(
                "INSERT INTO mandates (mandate, key, body, accepted, remaining) VALUES ('M', 'M', x'c1ff', 1, 1)"
            )


def version_of(path):
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute("PRAGMA user_version").fetchone()[0]


async def test_a_journal_is_backed_up_before_it_is_brought_up_to_date(old):
    make_old(old.home.journal)
    await rehearsing.keep_journal(old.home, Settings(), old.waited.append)
    (kept,) = old.generations()
    assert kept.journal.version == 3
    assert version_of(old.home.journal) == 3
    Journal(old.home.journal).close()
    assert version_of(old.home.journal) == schema.CURRENT


async def test_a_journal_that_cannot_be_brought_up_to_date_stays_as_it_was(old):
    make_old(old.home.journal, spoiled=True)
    error = await failing(rehearsing.keep_journal(old.home, Settings(), old.waited.append))
    assert (error.code, "message of mandate M" in error.message) == ("STEP_FAILED", True)
    assert version_of(old.home.journal) == 3


async def test_an_orchestrator_ends_with_what_has_failed(old):
    make_old(old.home.journal, spoiled=True)
    orchestrator = Orchestrator(old.home, StubBus({}), asyncio.Event())
    error = await failing(asyncio.wait_for(orchestrator.begin(), 60))
    assert error.code == "STEP_FAILED"
    assert json.dumps(error.data)
