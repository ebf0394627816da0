"""Primitives: methods that name a verb instead of a source, and are performed in this process.

A performer is a generator over (thought, receiver, path, the message's arguments). The arguments are bound to its
signature, so that a wrong call reads the same as for a method in Python. Which there are, `performers` lists.
"""

from __future__ import annotations

import inspect

from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.thought import Message, Thought
from protocol.codec import Value
from protocol.errors import BatosError


def perform(thought: Thought, receiver: str, verb: str, message: Message, path: str) -> Thinking[Value]:
    """Perform the primitive `verb` of the thought on `receiver`; METHOD_FAILED where the arguments do not fit it."""
    primitive = thought.primitives.get(verb)
    if primitive is None:
        raise BatosError("UNKNOWN_METHOD", f"no actor of this system serves the primitive {verb}")
    try:
        bound = inspect.signature(primitive).bind(thought, receiver, path, *message.args, **message.kwargs)
    except TypeError as error:
        raise BatosError("METHOD_FAILED", f"{verb}: {error}", selector=verb) from error
    return (yield from primitive(*bound.args, **bound.kwargs))


def clone(thought: Thought, receiver: str, path: str) -> Thinking[Value]:
    """A copy of the receiver, by the rules of `UvmObject`; it is stored when the mandate is published."""
    yield from ()  # a generator like every primitive
    return thought.overlay.clone(receiver)
