"""A `BatosError` as it travels: taken from the one that was raised, and raised again on the other side."""

from __future__ import annotations

from typing import Any

import msgspec

from protocol.errors import BatosError


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """A `BatosError` as it travels and as the command prints it."""

    code: str
    message: str
    hint: str = ""
    data: dict[str, Any] = {}


def failure_of(error: BatosError) -> Failure:
    """What of `error` travels."""
    return Failure(error.code, error.message, error.hint, error.data)


def raised_from(failure: Failure) -> BatosError:
    """The error that `failure` carries, to be raised again on this side of the wire."""
    error = BatosError(failure.code, failure.message, failure.hint)
    error.data = dict(failure.data)  # by assignment: a key named "message" must not collide with an argument
    return error
