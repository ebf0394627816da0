"""Primitives: methods that name a verb instead of a source, and are performed in this process.

A performer is a generator over its sender and the message's arguments. These are bound to its signature, so that a wrong
call reads the same as for a method in Python. Which there are, `actors.orchestrator.primitives.performers` lists. In a
trial those that would leave the world are not performed: the example has their answers.
"""

from __future__ import annotations

import inspect

from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.thought import Message, Sender
from protocol.codec import Value
from protocol.errors import BatosError


def perform(sender: Sender, verb: str, message: Message) -> Thinking[Value]:
    """Perform the primitive `verb`; METHOD_FAILED where the arguments do not fit it."""
    primitive = sender.thought.primitives.get(verb)
    if primitive is None:
        raise BatosError("UNKNOWN_METHOD", f"no actor of this system serves the primitive {verb}")
    try:
        bound = inspect.signature(primitive).bind(sender, *message.args, **message.kwargs)
    except TypeError as error:
        raise BatosError("METHOD_FAILED", f"{verb}: {error}", selector=verb) from error
    trial = sender.thought.trial
    if trial is not None and verb not in trial.performed:
        return trial.reply(sender.receiver, message.selector)
    return (yield from primitive(*bound.args, **bound.kwargs))
