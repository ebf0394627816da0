"""The one root error, and the closed list of its codes.

Every failure that a person or another actor can meet is a `BatosError`: a stable code, one sentence that says
what happened, and a hint that names the next step. The exit code of the command follows from the code alone,
so that a failure means the same wherever it was raised.
"""

from __future__ import annotations

from typing import Any, Final

EXIT_CODES: Final[dict[str, int]] = {
    # 1: the work was understood and failed
    "METHOD_FAILED": 1,
    "NOT_SYNTHESIZED": 1,
    "SEND_FAILED": 1,
    "CYCLE_FAILED": 1,
    "CYCLE_REPEATS": 1,
    "CANCELLED": 1,
    "REPLAY_DIVERGED": 1,
    "BUDGET_EXCEEDED": 1,
    "CONFLICTING_LANES": 1,
    "GENERATION_FAILED": 1,
    "TRAINING_FAILED": 1,
    "INTERNAL": 1,
    "OUT_OF_MEMORY": 1,
    # 2: what was asked cannot be read or makes no sense
    "USAGE": 2,
    "BAD_JSON": 2,
    "BAD_NAME": 2,
    "BAD_SELECTOR": 2,
    "BAD_ARGUMENT": 2,
    "BAD_EXAMPLE": 2,
    "BAD_VALUE": 2,
    "BAD_CONSTRAINT": 2,
    "BAD_MESSAGE": 2,
    "BAD_CONFIG": 2,
    "BAD_CODEX": 2,
    "BAD_DOCUMENT": 2,
    "BAD_EXPERT": 2,
    "TOO_LARGE": 2,
    "UNREADABLE": 2,
    "UNKNOWN_OBJECT": 2,
    "UNKNOWN_METHOD": 2,
    "UNKNOWN_CYCLE": 2,
    "UNKNOWN_DOCUMENT": 2,
    "UNKNOWN_EXPERT": 2,
    "UNKNOWN_VERB": 2,
    "PATH_TOO_LONG": 2,
    # 3: nobody there to do it
    "NOT_RUNNING": 3,
    "NOT_READY": 3,
    "HOME_HELD": 3,
    "LIMIT": 3,
    "BAD_MODEL": 3,
    "NO_JAIL": 3,
    "BUSY": 3,
    # 4: the guardian said no
    "REFUSED": 4,
    "COVENANT_BREACH": 4,
    # 5: too late
    "TIMEOUT": 5,
    # 6: somebody else was first
    "CONFLICT": 6,
    "NAME_TAKEN": 6,
    # 7: the store
    "STORAGE": 7,
    "DAMAGED": 7,
    "NEWER_WORLD": 7,
    # 130: a person pressed Ctrl-C, as shells count signals
    "INTERRUPTED": 130,
}

HOPELESS: Final = frozenset(
    {
        "BAD_CONFIG",
        "BAD_MODEL",
        "DAMAGED",
        "LIMIT",
        "NEWER_WORLD",
        "NO_JAIL",
        "OUT_OF_MEMORY",
        "PATH_TOO_LONG",
        "REFUSED",
    }
)
"""Codes that no waiting mends: an actor that meets one while it begins says so and ends."""


class BatosError(Exception):
    """What went wrong (`code`, `message`), what to do next (`hint`), and the facts of the case (`data`)."""

    def __init__(self, code: str, message: str, hint: str = "", **data: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.data = data

    @property
    def exit_code(self) -> int:
        return EXIT_CODES.get(self.code, 1)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
