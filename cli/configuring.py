"""`[inference]` in a home's `batos.toml`, changed as a person would: their comments and everything else stay as they are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable, Table

from protocol.errors import BatosError
from protocol.home import Home

SECTION: Final = "inference"
_BY_HAND: Final = "Correct it by hand: docs and README.md say what may stand in it."


def read(home: Home) -> str | None:
    """The file as it is; None where there is none."""
    try:
        return home.config.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BatosError("BAD_CONFIG", f"cannot read {home.config}: {error}", _BY_HAND) from error


def changed(text: str | None, changes: Mapping[str, str | None]) -> str:
    """The text with these lines under `[inference]`; one of None goes. BAD_CONFIG for a text that is no TOML."""
    try:
        document = tomlkit.parse(text or "")
        section = document.get(SECTION)
        if section is None:
            section = tomlkit.table()
            document[SECTION] = section
        if not isinstance(section, Table | InlineTable):
            raise BatosError("BAD_CONFIG", f"{SECTION} in batos.toml is no table", _BY_HAND)
        for name, value in changes.items():
            if value is not None:
                section[name] = value
            elif name in section:
                section.remove(name)
        return tomlkit.dumps(document)
    except TOMLKitError as error:
        raise BatosError("BAD_CONFIG", f"batos.toml cannot be read: {error}", _BY_HAND) from error


def write(home: Home, text: str | None) -> None:
    """Have the file hold `text`, whole or not at all; None: have no file. STORAGE."""
    try:
        if text is None:
            home.config.unlink(missing_ok=True)
            return
        # A link leads to the file that its owner keeps elsewhere; that is the one to change.
        target = home.config.resolve()
        fresh = target.with_name(f".{target.name}.{os.getpid()}")
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o600)
        fresh.replace(target)
    except OSError as error:
        why = f"cannot write {home.config}: {error.strerror or error}"
        raise BatosError("STORAGE", why, "Make room on its disk, or make it yours to write to.") from error
