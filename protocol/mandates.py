"""What a mandate must be to be accepted at all.

The command checks it to answer at once, and the orchestrator again, because it trusts no client.
"""

from __future__ import annotations

from typing import Final

from protocol import codec, examples, names
from protocol.checks import bundles
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.messages import BundledObject, Define, ImportBundle, Learn, Mandate, Reject, Rename, Revert, SetSlots
from protocol.messages.hand import Hand

MAX_SECONDS: Final = 86_400.0
"""The most that a mandate may be given."""

MAX_INTENT: Final = 2_000
"""Characters of an intent: it stands in every prompt."""

MAX_CANDIDATES: Final = 16
"""Sources that a mandate may bring along, each of which is tried."""


def check_mandate(mandate: Mandate) -> Mandate:
    """`mandate` if it makes sense; BAD_SELECTOR, BAD_ARGUMENT, BAD_EXAMPLE, BAD_VALUE or TOO_LARGE otherwise."""
    if mandate.hand is not None:
        return _check_hand(mandate, mandate.hand)
    names.check_selector(mandate.selector)
    check_intent(mandate.intent)
    if mandate.learn is not None:
        _check_learn(mandate, mandate.learn)
    for parameter in mandate.parameters:
        names.check_parameter(parameter)
    if len(set(mandate.parameters)) < len(mandate.parameters):
        raise BatosError("BAD_SELECTOR", f"{mandate.selector} names a parameter twice")
    check_arguments(mandate)
    examples.check_examples(mandate.examples)
    examples.check_calls(mandate.examples, mandate.parameters)
    codec.encode([mandate.args, mandate.kwargs])
    for example in mandate.examples:
        codec.encode(examples.example_value(example))
    return mandate


def _check_hand(mandate: Mandate, hand: Hand) -> Mandate:
    """Where every name is one. What they name is found when it is done."""
    check_intent(mandate.intent)
    if isinstance(hand, Rename):
        names.check_object(hand.to)
    if isinstance(hand, Revert):
        names.check_selector(hand.selector)
    if isinstance(hand, Define):
        codec.encode(hand.source)
    if isinstance(hand, ImportBundle):
        bundles.check_objects(hand.objects)
        for each in hand.objects:
            _check_intents(each)
        if hand.prefix:
            names.check_object(hand.prefix)
    if isinstance(hand, SetSlots):
        if not hand.slots:
            raise BatosError("BAD_ARGUMENT", "no slot is named that is to be set", "Name one: slot=json.")
        for slot in hand.slots:
            names.check_setting(slot)
        check_learning(hand.slots.get(names.LEARNING, names.AUTO))
        codec.encode(hand.slots)
    if isinstance(hand, Reject):
        check_intent(hand.because)
    return mandate


def check_learning(value: Value) -> Value:
    """`value` if the slot `_learning` may hold it; BAD_VALUE otherwise."""
    if value not in names.LEARNINGS:
        raise BatosError(
            "BAD_VALUE",
            f"{names.LEARNING} is one of {', '.join(names.LEARNINGS)}",
            f"Set it like this: {names.LEARNING}=propose. To leave it to the parents again, drop it.",
        )
    return value


def check_intent(intent: str) -> str:
    """`intent` if it is a sentence or a few, in whichever language; TOO_LARGE or BAD_ARGUMENT otherwise. None is "".

    It is shown on terminals and stands in prompts, so it has no characters but printable ones, line feeds and tabs.
    """
    if len(intent.strip()) > MAX_INTENT:
        raise BatosError(
            "TOO_LARGE",
            f"an intent of {len(intent.strip())} characters, the limit is {MAX_INTENT}",
            "Say in a sentence or two what the method is for; what it must do exactly, examples say.",
        )
    wrong = next((letter for letter in intent if not letter.isprintable() and letter not in "\n\t"), None)
    if wrong is not None:
        raise BatosError(
            "BAD_ARGUMENT",
            f"the intent holds the character U+{ord(wrong):04X}, which cannot be shown",
            "Write it as plain text in UTF-8; line feeds and tabs are welcome.",
        )
    return intent


def _check_intents(each: BundledObject) -> None:
    """What a bundle says that its methods are for stands in prompts as well."""
    for method in each.methods:
        try:
            check_intent(method.intent)
        except BatosError as error:
            raise BatosError(error.code, f"{each.name}.{method.selector}: {error.message}", error.hint) from error


def _check_learn(mandate: Mandate, learn: Learn) -> None:
    if mandate.selector.startswith("_"):
        raise BatosError(
            "BAD_SELECTOR",
            f"{mandate.selector} is the kernel's own, and nothing to be learned",
            "Choose a selector without a leading underscore, such as area_ or increment_(by).",
        )
    if mandate.args or mandate.kwargs:
        raise BatosError(
            "BAD_ARGUMENT",
            f"{mandate.selector} is to be learned and not sent, so it takes no arguments",
            "Name its parameters, as in increment_(by), and give arguments within examples.",
        )
    if (learn.drop_contract or learn.corrects) and not learn.again:
        raise BatosError(
            "BAD_ARGUMENT",
            f"{mandate.selector} is to be learned for the first time, so there is no contract yet to drop or to correct",
            "Say --again too, or leave --drop-contract away.",
        )
    if len(learn.candidates) > MAX_CANDIDATES:
        raise BatosError(
            "TOO_LARGE", f"{len(learn.candidates)} candidates, the limit is {MAX_CANDIDATES}", "Give the best of them."
        )
    for source in learn.candidates:
        codec.encode(source)


def check_arguments(mandate: Mandate) -> None:
    """BAD_ARGUMENT where no method with these parameters could take the arguments."""
    for name in mandate.kwargs:
        try:
            names.check_parameter(name)
        except BatosError as error:
            raise BatosError("BAD_ARGUMENT", f"keyword argument: {error.message}", error.hint) from error
    if not mandate.parameters:
        return
    if len(mandate.args) > len(mandate.parameters):
        raise BatosError(
            "BAD_ARGUMENT",
            f"{len(mandate.args)} arguments for {len(mandate.parameters)} parameters ({', '.join(mandate.parameters)})",
            "Name a parameter for each argument, or none at all.",
        )
    left = mandate.parameters[len(mandate.args) :]
    for name in mandate.kwargs:
        if name not in left:
            why = "is given by its place already" if name in mandate.parameters else "is no parameter"
            raise BatosError(
                "BAD_ARGUMENT", f"the keyword {name} {why}", f"Parameters: {', '.join(mandate.parameters)}."
            )
