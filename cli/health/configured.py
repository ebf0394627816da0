"""The models that a home's `batos.toml` names: one that is not there is told before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from protocol.errors import BatosError
from protocol.home import Home, Settings

SECTIONS: Final = ("inference", "memory")


def model_path(home: Home, settings: Settings, section: str) -> Path | None:
    """Where `model` under `[section]` points, as the actors read it: from the home. None for the embedded one."""
    named: str = getattr(settings, section).model
    return home.root / Path(named).expanduser() if named else None


def check_models(home: Home, settings: Settings) -> None:
    """BAD_MODEL names the setting and its file where no model is."""
    for section in SECTIONS:
        path = model_path(home, settings, section)
        if path is not None and not path.exists():
            raise BatosError(
                "BAD_MODEL",
                f"there is no model at {path}",
                f"`model` under [{section}] in {home.config} names it: correct that line, or remove it for the embedded"
                " model.",
                setting=f"{section}.model",
            )
