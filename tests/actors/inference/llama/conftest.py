"""What the tests of llama.cpp need: the extra, a tiny file, and a home with that model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from protocol.home import Home
from world import awakening
from world.store import open_store

from .tiny_gguf import need_llama, tiny_gguf


@pytest.fixture(scope="session")
def llama():
    """Whoever uses this needs the extra."""
    need_llama()


@pytest.fixture(scope="session")
def gguf(tmp_path_factory):
    """The file that BATOS_TEST_GGUF names, else a tiny one."""
    named = os.environ.get("BATOS_TEST_GGUF")
    return Path(named) if named else tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture
def llama_home(llama, short_path, gguf):
    home = Home(short_path / "home").prepare()
    uri = f"file://{home.database}?blobstorage_dir={home.blobs}"
    home.config.write_text(f'[storage]\nuri = "{uri}"\n[inference]\nmodel = "{gguf}"\nengine = "llama"\nthreads = 1\n')
    store = open_store(home.settings(), home, name="test", seconds=1)
    awakening.awaken(store.db)
    store.close()
    return home
