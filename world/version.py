"""The form of a world: which steps of the awakening it has taken. A newer form is left to a newer program."""

from __future__ import annotations

from importlib import metadata
from typing import Final

from ZODB.Connection import Connection

from protocol.errors import BatosError

SCHEMA: Final = 11
"""The newest form that this program knows; `world.awakening` has as many steps."""


PROGRAM: Final = "program"
"""In the root: the version of the program that has brought the world into its form."""


def program() -> str:
    """The version of this program; "" where it is not installed."""
    try:
        return metadata.version("batos")
    except metadata.PackageNotFoundError:
        return ""


def version_of(connection: Connection) -> int:
    """The last step that this world has taken, 0 for an empty one; NEWER_WORLD where this program does not know it."""
    version = int(connection.root().get("schema_version", 0))
    if version > SCHEMA:
        needs = str(connection.root().get(PROGRAM, ""))
        which = f"batos {needs}, which has made that form, or a newer one" if needs else "the version that last had it"
        raise BatosError(
            "NEWER_WORLD",
            f"this world has form {version}, and this program knows forms up to {SCHEMA}",
            f"A newer program is needed: install {which}.",
            world=version,
            program=SCHEMA,
            **({"needs": needs} if needs else {}),
        )
    return version
