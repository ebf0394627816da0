"""The failures that a program meets, as classes: which one follows from the code alone, like the command's exit code.

Every one is a `BatosError` with `code`, `message`, `hint` and `data`, so that `except Error` takes them all; those that Python has
a word for are that too.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from protocol.errors import BatosError

C = TypeVar("C", bound=type)


class Error(BatosError):
    """What went wrong; `hint` names the next step, and stands in the text."""

    def __str__(self) -> str:
        return f"{super().__str__()}. {self.hint}" if self.hint else super().__str__()


class WorkFailed(Error):
    """The work was understood and failed: a method raised, or none could be written."""


class BadInput(Error, ValueError):
    """What was given is at fault."""


class Unknown(BadInput, LookupError):
    """Nothing is called so: an object, a method, a document, a proposal."""


class NotThere(Error, ConnectionError):
    """Nobody is there to do it, or not yet, or all are busy."""


class Refused(Error):
    """The guardian said no."""


class NotAllowed(Refused, PermissionError):
    """Whoever asks lacks the right."""


class TooLate(Error, TimeoutError):
    """It was not done in time; `data["goes_on"]` says whether it still may be."""


class Conflict(Error):
    """Somebody else was first."""


class StoreFailed(Error):
    """The store cannot be written or read."""


class Proposed(Error):
    """The method that the message needs waits for the user's word: `world.accept(error.proposal)` lets it stand.

    The message goes on then; `world.watch(error.mandate)` follows it.
    """

    def __init__(self, message: str, hint: str, *, proposal: str, mandate: str) -> None:
        super().__init__("PROPOSED", message, hint, proposal=proposal, mandate=mandate)
        self.proposal = proposal
        self.mandate = mandate


_BY_EXIT: Final[dict[int, type[Error]]] = {
    1: WorkFailed,
    2: BadInput,
    3: NotThere,
    4: Refused,
    5: TooLate,
    6: Conflict,
    7: StoreFailed,
}
_BY_CODE: Final[dict[str, type[Error]]] = {
    "NOT_ALLOWED": NotAllowed,
    "UNKNOWN_TOKEN": NotAllowed,
    "UNREADABLE": BadInput,
}


def typed(error: BatosError) -> Error:
    """`error` as an instance of its class."""
    if isinstance(error, Error):
        return error
    kind = _BY_CODE.get(error.code) or (Unknown if error.code.startswith("UNKNOWN_") else None)
    kind = kind or _BY_EXIT.get(error.exit_code, Error)
    made = kind(error.code, error.message, error.hint)
    facts: dict[str, Any] = dict(error.data)
    made.data = facts
    return made


def typed_errors(cls: C) -> C:
    """Of a class of coroutine functions: what they raise is an `Error`, whoever has found it."""
    for name, function in list(vars(cls).items()):
        if inspect.iscoroutinefunction(function) and not name.startswith("_"):
            setattr(cls, name, _typed(function))
    return cls


def _typed(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(function)
    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return await function(*args, **kwargs)
        except BatosError as error:
            if isinstance(error, Error):
                raise
            raise typed(error) from error

    return wrapped
