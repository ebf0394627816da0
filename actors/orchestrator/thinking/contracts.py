"""What a mandate says about a method that must be written for it, beside what the world holds already."""

from __future__ import annotations

import msgspec

from actors.orchestrator.thinking.overlay import Overlay
from actors.orchestrator.thinking.thought import Contract
from protocol import codec, examples
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
    again = f"batos learn {mandate.target} {mandate.selector}"
    if not mandate.learn.again:
        if method is not None:
            raise BatosError(
                "ALREADY_UNDERSTOOD",
                f"{mandate.target} understands {mandate.selector} already",
                f"See it: `batos source {mandate.target} {mandate.selector}`. Write a better one: `{again} --again`.",
            )
        return contract
    if method is None or method.source is None:
        raise BatosError(
            "UNKNOWN_METHOD",
            f"{mandate.target} has no method {mandate.selector} that could be written again",
            f"{'Have it written' if mandate.learn.corrects else 'Leave --again away to have it written'}: `{again}`.",
        )
    kept = [] if mandate.learn.drop_contract else _owed(method)
    wrong = _wrong(overlay, target, kept, mandate.examples) if mandate.learn.corrects else []
    kept = [example for example in kept if example not in wrong]
    parameters = mandate.parameters or list(method.parameters)
    joined = _joined(kept, mandate.examples)
    try:
        examples.check_examples(joined)
        examples.check_calls(joined, parameters)
    except BatosError as error:
        raise BatosError(
            error.code,
            f"with the {len(kept)} examples that {mandate.selector} holds already: {error.message}",
            "What it holds it must hold when it is written again. Leave that example away, or learn it under another selector.",
        ) from error
    return Contract(
        parameters,
        joined,
        mandate.intent or method.intent,
        mandate.learn,
        method.source,
        wrong,
    )


def _owed(method: UvmMethod) -> list[Example]:
    return [examples.read_example(plain(example, _unseen), "an old example") for example in method.examples]


def _wrong(overlay: Overlay, target: str, old: list[Example], new: list[Example]) -> list[Example]:
    """The old examples that ask for another outcome of the very inputs of a new one, seen over the slots that stand there now."""
    slots = overlay.aside().visible(target, kernel=overlay.is_kernel(target))

    def whole(example: Example) -> Example:
        return msgspec.structs.replace(example, slots={**slots, **example.slots})

    return [one for one in old if any(examples.contradict(whole(one), whole(other)) for other in new)]


def _unseen(_: object) -> None:
    """An old example is not a read of the world's state: nothing replaces a method's examples but a new method."""


def _joined(old: list[Example], new: list[Example]) -> list[Example]:
    known = {codec.pack(example) for example in old}  # as bytes: to Python, True equals 1
    return old + [example for example in new if codec.pack(example) not in known]
