"""The one root error, and the closed list of its codes.

Every failure that a person or another actor can meet is a `BatosError`: a stable code, one sentence that says
what happened, and a hint that names the next step. What the command's exit code is, and what whoever meets it may do,
follows from the code alone, so that a failure means the same wherever it was raised.
"""

from __future__ import annotations

from enum import Flag, auto
from typing import Any, Final, NamedTuple


class Disposition(Flag):
    """What a program that meets a failure may do without a person. `BatosError.is_…` say what each means."""

    AWAY = auto()
    PASSING = auto()
    FATAL = auto()
    HOPELESS = auto()
    INPUT = auto()


NOTHING = Disposition(0)
AWAY, PASSING, FATAL, HOPELESS, INPUT = Disposition


class Code(NamedTuple):
    """One row of the table: the exit code of the command, and what may be done."""

    exit_code: int
    disposition: Disposition


_UNKNOWN: Final = Code(1, NOTHING)
"""What a newer peer may say."""

CODES: Final[dict[str, Code]] = {
    # 1: the work was understood and failed
    "METHOD_FAILED": Code(1, NOTHING),
    "NOT_SYNTHESIZED": Code(1, NOTHING),
    "IN_DOUBT": Code(1, NOTHING),
    "SEND_FAILED": Code(1, NOTHING),
    "CYCLE_FAILED": Code(1, NOTHING),
    "CYCLE_REPEATS": Code(1, NOTHING),
    "CANCELLED": Code(1, FATAL),
    "REJECTED": Code(1, NOTHING),
    "REPLAY_DIVERGED": Code(1, NOTHING),
    "BUDGET_EXCEEDED": Code(1, FATAL),
    "CONFLICTING_LANES": Code(1, NOTHING),
    "GENERATION_FAILED": Code(1, NOTHING),
    "TRAINING_FAILED": Code(1, NOTHING),
    "INTERNAL": Code(1, FATAL),
    "OUT_OF_MEMORY": Code(1, PASSING | HOPELESS),
    # 2: what was asked cannot be read or makes no sense
    "USAGE": Code(2, INPUT),
    "BAD_JSON": Code(2, INPUT),
    "BAD_NAME": Code(2, INPUT),
    "BAD_SELECTOR": Code(2, INPUT),
    "BAD_ARGUMENT": Code(2, INPUT),
    "BAD_EXAMPLE": Code(2, INPUT),
    "BAD_VALUE": Code(2, INPUT),
    "BAD_CONSTRAINT": Code(2, INPUT),
    "BAD_MESSAGE": Code(2, INPUT),
    "BAD_CONFIG": Code(2, HOPELESS),
    "BAD_CODEX": Code(2, INPUT),
    "BAD_DOCUMENT": Code(2, INPUT),
    "BAD_EXPERT": Code(2, INPUT),
    "BAD_BUNDLE": Code(2, INPUT),
    "BAD_BACKUP": Code(2, INPUT),
    "TOO_LARGE": Code(2, INPUT),
    "UNREADABLE": Code(2, NOTHING),
    "MISSPELT": Code(2, INPUT),
    "UNKNOWN_OBJECT": Code(2, INPUT),
    "UNKNOWN_METHOD": Code(2, INPUT),
    "UNKNOWN_CYCLE": Code(2, INPUT),
    "EXPIRED": Code(2, INPUT),
    "TRIAL_SEND": Code(2, INPUT),
    "INDEX_CHANGED": Code(2, INPUT),
    "UNKNOWN_DOCUMENT": Code(2, INPUT),
    "UNKNOWN_EXPERT": Code(2, INPUT),
    "UNKNOWN_PROPOSAL": Code(2, INPUT),
    "LEARNING_DENIED": Code(2, INPUT),
    "UNKNOWN_VERB": Code(2, INPUT),
    "PATH_TOO_LONG": Code(2, HOPELESS),
    # 3: nobody there to do it
    "NOT_RUNNING": Code(3, AWAY | PASSING | FATAL),
    "NOT_READY": Code(3, AWAY | PASSING | FATAL),
    "HOME_HELD": Code(3, NOTHING),
    "LIMIT": Code(3, HOPELESS),
    "BAD_MODEL": Code(3, HOPELESS),
    "NO_JAIL": Code(3, HOPELESS),
    "BUSY": Code(3, AWAY | PASSING),
    # 4: the guardian said no, or its user has not allowed it
    "REFUSED": Code(4, HOPELESS),
    "COVENANT_BREACH": Code(4, NOTHING),
    "NOT_ALLOWED": Code(4, NOTHING),
    "UNKNOWN_TOKEN": Code(4, NOTHING),
    # 5: too late
    "TIMEOUT": Code(5, PASSING | FATAL),
    # 6: somebody else was first
    "CONFLICT": Code(6, PASSING | FATAL),
    "NAME_TAKEN": Code(6, NOTHING),
    "PORT_TAKEN": Code(6, NOTHING),
    "ALREADY_UNDERSTOOD": Code(6, NOTHING),
    "IN_USE": Code(6, NOTHING),
    "BLOCKED": Code(6, NOTHING),
    "REPLACED": Code(6, NOTHING),
    "SETTLED": Code(6, NOTHING),
    # 7: the store
    "STORAGE": Code(7, PASSING | FATAL),
    "DAMAGED": Code(7, HOPELESS),
    "NEWER_WORLD": Code(7, HOPELESS),
    "STEP_FAILED": Code(7, HOPELESS),
    "HALF_RESTORED": Code(7, HOPELESS),
    # 130: a person pressed Ctrl-C, as shells count signals
    "INTERRUPTED": Code(130, NOTHING),
}


WAITS: Final = 8
"""The exit code where nothing has failed: a method waits for its user's word (PROPOSED)."""


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
        return CODES.get(self.code, _UNKNOWN).exit_code

    @property
    def disposition(self) -> Disposition:
        return CODES.get(self.code, _UNKNOWN).disposition

    @property
    def is_away(self) -> bool:
        """Nobody took the request, and nothing was done. With `lost` in the data it may have been. It is asked again."""
        # What somebody has pinned stays so however long one waits.
        return AWAY in self.disposition and not self.data.get("pinned")

    @property
    def is_passing(self) -> bool:
        """A failure of the moment, not of the message. Nothing was published, and the same key attempts it again."""
        return PASSING in self.disposition

    @property
    def is_fatal(self) -> bool:
        """It ends the whole mandate. A method cannot catch it as `SendFailed`."""
        return FATAL in self.disposition

    @property
    def is_hopeless(self) -> bool:
        """No waiting mends it. An actor that meets it while it starts says so and ends."""
        return HOPELESS in self.disposition

    @property
    def is_input(self) -> bool:
        """What was given is at fault, and will be so tomorrow. It is refused, and the next is taken."""
        return INPUT in self.disposition

    @property
    def is_lost(self) -> bool:
        """Whether what was asked may have been done all the same: only what may be done twice is asked again."""
        return bool(self.data.get("lost"))

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
