"""On which rung of the ladder of forms a model begins: the primitives `serving_`, `try_` and `place_`.

How a model is placed is method source (`placement_`); what a method cannot know or do by itself stands here. A placement
belongs to the model, not to the mandate that has found it: it is read and kept beside the mandate's own changes, so that
no mandate is in the way of another one because of it, and one that fails has still found it.
"""

from __future__ import annotations

import msgspec

from actors.orchestrator.primitives import arguments
from actors.orchestrator.thinking.asks import Placed, Thinking, call
from actors.orchestrator.thinking.thought import Sender
from protocol import codec, verbs
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.messages import BaseModel, Example, Trial
from world.placements import FORMS, placement_of


class Task(msgspec.Struct, frozen=True):
    """What `try_` needs of a message: the slots of an object that exists nowhere, and what is to come of it."""

    slots: dict[str, Value]
    examples: list[Example]


def serving(sender: Sender) -> Thinking[Value]:
    """The model that serves, as {"digest", "grammars", "placement"}: what the world knows of where it begins, or None."""
    found = yield from call(verbs.MODEL, BaseModel(), path=sender.path, keep=True)
    placement = placement_of(sender.thought.overlay.connection, found.digest)
    return {"digest": found.digest, "grammars": found.grammars, "placement": placement}


def place(sender: Sender, digest: Value, found: Value) -> Thinking[Value]:
    """Keep where the model `digest` begins: {"form", "tried"}. Where that is known already, it stays."""
    sender.running()
    if not isinstance(found, dict) or found.get("form") not in FORMS:
        raise BatosError("METHOD_FAILED", f"place_: a placement has a form, one of {', '.join(FORMS)}")
    yield Placed(digest=arguments.text(digest, "digest"), found=found)
    return None


def try_out(sender: Sender, source: Value, message: Value) -> Thinking[Value]:
    """What is wrong with a candidate for `message` to an object with its slots, or ''. It is no attempt of the cycle's."""
    running = sender.running()
    task = codec.convert(message, Task)
    trial = Trial(
        source=arguments.text(source, "source"),
        receiver=Ref(running.context),
        slots=task.slots,
        examples=task.examples,
        is_sent=False,
    )
    tried = yield from call(verbs.TRIAL, trial, path=sender.path, keep=True)
    for violation in tried.violations:
        return f"{violation.rule} at line {violation.line}: {violation.message}"
    return next((case.message for case in tried.cases if not case.passed), "")
