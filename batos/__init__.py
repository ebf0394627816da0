"""The Python client: `from batos import World`, on the bus and nothing else.

What asks the system is imported with the first World, so that the import of a program that may not need one costs little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batos.errors import (
    BadInput,
    Conflict,
    Error,
    NotAllowed,
    NotThere,
    Proposed,
    Refused,
    StoreFailed,
    TooLate,
    Unknown,
    WorkFailed,
)

if TYPE_CHECKING:
    from batos.asynchronous import AsyncWorld
    from batos.objects import Thing
    from batos.replies import Answer, Lesson, Reply
    from batos.things import AsyncThing
    from batos.world import World

__all__ = [
    "Answer",
    "AsyncThing",
    "AsyncWorld",
    "BadInput",
    "Conflict",
    "Error",
    "Lesson",
    "NotAllowed",
    "NotThere",
    "Proposed",
    "Refused",
    "Reply",
    "StoreFailed",
    "Thing",
    "TooLate",
    "Unknown",
    "WorkFailed",
    "World",
]

_PLACES = {
    "Answer": "replies",
    "AsyncThing": "things",
    "AsyncWorld": "asynchronous",
    "Lesson": "replies",
    "Reply": "replies",
    "Thing": "objects",
    "World": "world",
}


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"batos has no {name}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(f"batos.{place}"), name)
