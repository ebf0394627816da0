"""Opening a world: one of a newer form is neither opened nor written."""

from __future__ import annotations

import asyncio
import threading
from importlib import metadata

import pytest

from protocol.errors import BatosError
from protocol.home import Home
from world import awakening
from world.store import Written, commit, open_store, snapshot
from world.version import SCHEMA, version_of


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path)
    made.world.mkdir()
    made.config.write_text(f'[storage]\nuri = "file://{made.database}?blobstorage_dir={made.blobs}"\n')
    return made


def opened(home):
    return open_store(home.settings(), home, name="test", seconds=1)


def make_newer(db, version=SCHEMA + 1):
    with commit(db, user="test", description="a newer program was here") as connection:
        connection.root()["schema_version"] = version


@pytest.mark.parametrize("version", [SCHEMA + 1, 99])
def test_a_newer_world_is_not_opened(home, version):
    store = opened(home)
    awakening.awaken(store.db)
    make_newer(store.db, version)
    store.close()
    before = home.database.read_bytes()
    with pytest.raises(BatosError, match=rf"form {version}\b.* up to {SCHEMA}\b") as caught:
        opened(home)
    assert caught.value.code == "NEWER_WORLD"
    assert caught.value.data == {"world": version, "program": SCHEMA, "needs": metadata.version("batos")}
    assert "newer program" in caught.value.hint
    assert home.database.read_bytes() == before


def test_an_empty_one_and_one_of_todays_form_are_opened(home):
    for version in (0, SCHEMA):
        store = opened(home)
        with snapshot(store.db) as connection:
            assert version_of(connection) == version
        awakening.awaken(store.db)
        store.close()


def test_a_world_that_a_newer_program_takes_up_meanwhile_is_written_no_more(home):
    store = opened(home)
    awakening.awaken(store.db)
    make_newer(store.db)
    last = store.db.lastTransaction()
    with pytest.raises(BatosError) as caught, commit(store.db, user="test", description="late") as connection:
        connection.root()["late"] = True
    assert caught.value.code == "NEWER_WORLD"
    with pytest.raises(BatosError) as caught:
        awakening.awaken(store.db)
    assert caught.value.code == "NEWER_WORLD"
    assert store.db.lastTransaction() == last
    store.close()


async def test_what_may_be_done_twice_is_done_again_where_the_server_was_lost_under_it(home):
    store = opened(home)
    tried = []

    def work(failures, code="STORAGE", **data):
        tried.append(failures)
        if len(tried) <= failures:
            raise BatosError(code, "gone", **data)
        return "seen"

    assert await store.run(lambda: work(1, lost=True), again=True) == "seen"
    for again, failures, facts in [
        (False, 1, {"lost": True}),
        (True, 2, {"lost": True}),
        (True, 1, {}),
        (True, 1, {"code": "CONFLICT"}),
    ]:
        tried.clear()
        with pytest.raises(BatosError):
            await store.run(lambda: work(failures, **facts), again=again)  # noqa: B023 - it is awaited here
        assert len(tried) == failures
    store.close()


async def test_what_only_reads_waits_for_no_writer(home):
    store = opened(home)
    writing, read = threading.Event(), threading.Event()

    def write():
        writing.set()
        return read.wait(30)

    running = asyncio.create_task(store.run(write))
    await asyncio.to_thread(writing.wait, 30)
    assert await store.read(lambda: threading.current_thread().name.startswith("reading"))
    read.set()
    assert await running
    store.close()


def test_a_commit_tells_its_transaction(home):
    store = opened(home)
    with commit(store.db, user="test", description="one") as connection:
        written = Written(connection, connection.root())
        connection.root()["x"] = 1
        with pytest.raises(AssertionError):
            _ = written.tid
    assert written.tid == store.db.lastTransaction()
    store.close()


@pytest.mark.parametrize("uri", ["nonsense", "foo://x", "zeo:///x?wait=soon"])
def test_an_address_that_stands_for_nothing_is_the_settings_mistake(home, uri):
    home.config.write_text(f'[storage]\nuri = "{uri}"\n')
    with pytest.raises(BatosError, match="storage") as caught:
        open_store(home.settings(), home, name="test", seconds=0.1)
    assert caught.value.is_hopeless, "it is told at once"
