"""The files of a kept model under their own names: the world keeps them under names of its own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from protocol.errors import BatosError


def link(files: Mapping[str, Path], folder: Path) -> None:
    """The files by their names in the new `folder`; what was there before goes. STORAGE."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        for name, path in files.items():
            (folder / name).symlink_to(path)
    except OSError as error:
        raise BatosError(
            "STORAGE",
            f"the model's folder {folder} cannot be made: {error.strerror or error}",
            "Is the disk full, or the home not yours to write in?",
        ) from error
