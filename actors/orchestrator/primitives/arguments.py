"""What a primitive may demand of its arguments; METHOD_FAILED where they are something else."""

from __future__ import annotations

from protocol.codec import Ref, Value
from protocol.errors import BatosError


def reference(value: Value) -> str:
    if not isinstance(value, Ref):
        raise BatosError("METHOD_FAILED", f"expected an object, got a {type(value).__name__}")
    return value.oid


def text(value: Value, what: str) -> str:
    if not isinstance(value, str):
        raise BatosError("METHOD_FAILED", f"{what} must be a str, not a {type(value).__name__}")
    return value


def integer(value: Value, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BatosError("METHOD_FAILED", f"{what} must be an int, not a {type(value).__name__}")
    return value
