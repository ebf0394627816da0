from __future__ import annotations

import pytest
from ZODB import DB
from ZODB.FileStorage import FileStorage


@pytest.fixture
def db(tmp_path):
    """A database of its own, with blobs, without a server."""
    database = DB(FileStorage(str(tmp_path / "world.fs"), blob_dir=str(tmp_path / "blobs")))
    yield database
    database.close()
