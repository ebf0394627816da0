"""What a mandate says about a method that must be written for it, beside what the world holds already."""

from __future__ import annotations

from actors.orchestrator.thinking.overlay import Overlay
from actors.orchestrator.thinking.thought import Contract
from protocol import examples
from protocol.errors import BatosError
from protocol.messages import Example, Mandate
from world.method import UvmMethod
from world.values import plain


def contract_of(overlay: Overlay, target: str, mandate: Mandate) -> Contract:
    """The contract of the method that answers `mandate`, sent to the object `target` (an OID).

    A method that is learned again owes what the old one owes. ALREADY_UNDERSTOOD where the message would be learned and has
    a method, UNKNOWN_METHOD where it would be learned again and has none, BAD_EXAMPLE where the new examples contradict
    the old ones.
    """
    contract = Contract(mandate.parameters, mandate.examples, mandate.intent, mandate.learn)
    if mandate.learn is None:
        return contract
    place = overlay.lookup(target, mandate.selector)
    method = place.value if place is not None and isinstance(place.value, UvmMethod) else None
    if not mandate.learn.again:
        if method is not None:
            raise BatosError(
                "ALREADY_UNDERSTOOD",
                f"{mandate.target} understands {mandate.selector} already",
                "See it: `batos source`. A better one is written with --again.",
            )
        return contract
    if method is None or method.source is None:
        raise BatosError(
            "UNKNOWN_METHOD",
            f"{mandate.target} has no method {mandate.selector} that could be written again",
            "Leave --again away to have it written.",
        )
    kept = [examples.read_example(plain(example, _unseen), "an old example") for example in method.examples]
    joined = _joined(kept, mandate.examples)
    examples.check_examples(joined)
    return Contract(
        mandate.parameters or list(method.parameters),
        joined,
        mandate.intent or method.intent,
        mandate.learn,
        method.source,
    )


def _unseen(_: object) -> None:
    """An old example is not a read of the world's state: nothing replaces a method's examples but a new method."""


def _joined(old: list[Example], new: list[Example]) -> list[Example]:
    return old + [example for example in new if example not in old]
