"""What a primitive may demand of its arguments; METHOD_FAILED where they are something else."""

from __future__ import annotations

from actors.orchestrator.thinking.thought import RunningCycle, Thought
from protocol.codec import Ref, Value
from protocol.errors import BatosError


def running(thought: Thought, receiver: str) -> RunningCycle:
    """The cycle whose context `receiver` is."""
    for running in thought.chain:
        if running.context == receiver:
            return running
    raise BatosError("METHOD_FAILED", "only the context of a running cycle can do that")


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
