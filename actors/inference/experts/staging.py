"""The staging folder: adapters that somebody has laid there are taken in at the next start, each once.

    staging/robin/adapter_model.safetensors + adapter_config.json     becomes the expert robin, as PEFT saves one
    staging/robin.safetensors + adapter_config.json                   so does this

What was taken moves to `imported/`, what was refused to `refused/` with the reason beside it. Nothing is deleted,
and nothing is taken twice: an adapter that stayed would undo at each start what was imported by hand since.
"""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Final, NamedTuple

from actors.inference.weights.lora import CONFIG, WEIGHTS
from protocol.errors import BatosError

IMPORTED: Final = "imported"
REFUSED: Final = "refused"
REASON: Final = "reason.txt"


class Staged(NamedTuple):
    """An adapter that waits: the file with its weights, and the expert's name that this stands for."""

    name: str
    path: Path


def found(folder: Path) -> list[Staged]:
    """What waits in the staging folder, in the order of the paths; nothing where there is no folder."""
    files = sorted(path for path in folder.glob("**/*.safetensors") if path.is_file())
    waiting = [path for path in files if path.relative_to(folder).parts[0] not in (IMPORTED, REFUSED)]
    return [Staged(path.parent.name if _is_own(path, folder) else path.stem, path) for path in waiting]


def settle(staged: Staged, folder: Path, refusal: BatosError | None) -> None:
    """Put the adapter away: it was taken in, or refused for this reason."""
    top = folder / (IMPORTED if refusal is None else REFUSED)
    places = (top / (f"{staged.name}.{number}" if number else staged.name) for number in itertools.count())
    place = next(place for place in places if not place.exists())
    if _is_own(staged.path, folder):
        top.mkdir(exist_ok=True)
        staged.path.parent.rename(place)
    else:
        place.mkdir(parents=True)
        config = staged.path.parent / CONFIG
        if config.is_file():
            # It may serve other adapters of this folder too.
            shutil.copy2(config, place / CONFIG)
        staged.path.rename(place / staged.path.name)
    if refusal is not None:
        (place / REASON).write_text(f"{refusal.message}\n{refusal.hint}\n", encoding="utf-8")


def _is_own(path: Path, folder: Path) -> bool:
    """Whether the file has its folder for itself, and the folder's name is the expert's."""
    return path.name == WEIGHTS and path.parent != folder
