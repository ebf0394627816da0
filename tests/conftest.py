"""What tests in every folder need."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder for a home: pytest's own can be too long for the path of a unix socket."""
    folder = Path(tempfile.mkdtemp(prefix="batos-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)
