"""`confirm`: what a method has really done becomes an example of its contract."""

from __future__ import annotations

import msgspec

from actors.orchestrator.primitives.contracts import holding
from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.thought import Thought
from protocol import codec
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.examples import check_examples, example_value, read_example
from protocol.messages import Confirm, FinishedCall
from world.method import UvmMethod


def confirm(thought: Thought, request: Confirm) -> Thinking[Value]:
    """Add the call to the contract of the method that answers such a message now, which must do the same. REFUSED, BAD_ARGUMENT."""
    call = request.call
    if call is None:
        raise BatosError("BAD_MESSAGE", "the call that is to be confirmed was not read from the journal")
    overlay = thought.overlay
    place = overlay.lookup(call.receiver, call.selector)
    method = place.value if place is not None else None
    if place is None or not isinstance(method, UvmMethod) or method.source is None or overlay.is_kernel(place.holder):
        raise _not_learned(call, None if place is None else overlay.name(place.holder))
    draft = holding.draft_of(method, method.author)
    asked = msgspec.structs.replace(draft, examples=[example_value(call.example)])
    (case,), read = yield from holding.tried(thought, place.holder, asked, f"m.{call.selector}")
    if not case.passed:
        raise BatosError(
            "REFUSED",
            f"{call.selector} does not do again what it did in mandate {call.mandate}: {case.message}",
            f"If that was right, have it learned again: `batos correct {call.mandate} --returns JSON`.",
            example=asked.examples[0],
        )
    # Of the objects that it could have come to, those that it did.
    kept = {**example_value(call.example), "objects": next(iter(read.values()), {})}
    kept = example_value(read_example(kept))
    done: Value = {
        "name": overlay.name(place.holder) or place.holder,
        "oid": place.holder,
        "selector": call.selector,
        "mandate": call.mandate,
        "example": kept,
        "examples": len(draft.examples),
    }
    if codec.encode(kept) in {codec.encode(known) for known in draft.examples}:
        return done
    examples = [*draft.examples, kept]
    check_examples([read_example(each) for each in examples])
    overlay.write(place.holder, {call.selector: msgspec.structs.replace(draft, examples=examples)})
    return {**done, "examples": len(examples)}


def _not_learned(call: FinishedCall, holder: str | None) -> BatosError:
    if holder is None:
        return BatosError(
            "UNKNOWN_METHOD",
            f"nothing answers {call.selector} any more, so nothing can owe what mandate {call.mandate} has done",
            "See what became of it: `batos history NAME`.",
        )
    return BatosError(
        "BAD_ARGUMENT",
        f"{call.selector} is a method of the system itself ({holder}), and has no contract",
        "Confirm a call of a method that was learned or defined.",
    )
