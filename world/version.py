"""The form of a world: which steps of the awakening it has taken. A newer form is left to a newer program."""

from __future__ import annotations

from typing import Final

from ZODB.Connection import Connection

from protocol.errors import BatosError

SCHEMA: Final = 11
"""The newest form that this program knows; `world.awakening` has as many steps."""


def version_of(connection: Connection) -> int:
    """The last step that this world has taken, 0 for an empty one; NEWER_WORLD where this program does not know it."""
    version = int(connection.root().get("schema_version", 0))
    if version > SCHEMA:
        raise BatosError(
            "NEWER_WORLD",
            f"this world has form {version}, and this program knows forms up to {SCHEMA}",
            "A newer program is needed: install the version of batos that last had this world.",
            world=version,
            program=SCHEMA,
        )
    return version
