"""What a mandate must be to be accepted at all.

The command checks it to answer at once, and the orchestrator again, because it trusts no client.
"""

from __future__ import annotations

from typing import Final

from protocol import codec, examples, names
from protocol.errors import BatosError
from protocol.messages import Mandate

MAX_SECONDS: Final = 86_400.0
"""The most that a mandate may be given."""


def check_mandate(mandate: Mandate) -> Mandate:
    """`mandate` if it makes sense; BAD_SELECTOR, BAD_ARGUMENT, BAD_EXAMPLE, BAD_VALUE or TOO_LARGE otherwise."""
    names.check_selector(mandate.selector)
    for parameter in mandate.parameters:
        names.check_parameter(parameter)
    if len(set(mandate.parameters)) < len(mandate.parameters):
        raise BatosError("BAD_SELECTOR", f"{mandate.selector} names a parameter twice")
    check_arguments(mandate)
    examples.check_examples(mandate.examples)
    codec.encode([mandate.args, mandate.kwargs])
    for example in mandate.examples:
        codec.encode(examples.example_value(example))
    return mandate


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
