"""A mandate, read from the words of a command line and checked.

What cannot be right is refused here, before anything is sent. The orchestrator checks all of it again, because it
trusts no client.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from cli import values
from protocol import examples, names
from protocol.errors import BatosError
from protocol.mandates import check_intent, check_mandate
from protocol.messages import Learn, Mandate

_SELECTOR: Final = re.compile(r"([^()]*)(?:\(([^()]*)\))?")


def read_mandate(
    target: str,
    selector: str,
    args: Sequence[str] = (),
    kwargs: Sequence[str] = (),
    cases: Sequence[str] = (),
    *,
    intent: str | None = None,
    learn: Learn | None = None,
    detach: bool = False,
    new: bool = False,
) -> Mandate:
    """The mandate that the words of a command line state."""
    check_target(target)
    name, parameters = read_selector(selector)
    mandate = Mandate(
        target=target,
        selector=name,
        parameters=parameters,
        args=[values.read_outside(text, f"argument {n}") for n, text in enumerate(args, 1)],
        kwargs=values.read_pairs(kwargs, "--kw"),
        examples=[
            examples.read_example(values.read_outside(text, f"example {n}"), f"example {n}")
            for n, text in enumerate(cases, 1)
        ],
        intent=read_intent(intent),
        learn=learn,
        detach=detach,
        new=new,
    )
    return check_mandate(mandate)


def read_intent(text: str | None) -> str:
    """The intent that `--intent` states; one of white space alone is none. BAD_ARGUMENT where its bytes are no UTF-8."""
    if text and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BatosError("BAD_ARGUMENT", "the intent is not valid Unicode", "Give it in UTF-8.")
    return check_intent((text or "").strip())


def read_selector(text: str) -> tuple[str, list[str]]:
    """`increment_(by)` as the selector and its parameters' names."""
    match = _SELECTOR.fullmatch(text.strip())
    if match is None:
        raise BatosError(
            "BAD_SELECTOR",
            f"{text[: names.MAX_NAME]!r} is no selector",
            "A selector is an identifier that ends in an underscore, such as area_ or increment_(by).",
        )
    listed = (match[2] or "").strip()
    parameters = [names.check_parameter(word.strip()) for word in listed.split(",")] if listed else []
    return names.check_selector(match[1].strip()), parameters


def check_target(text: str) -> str:
    """`text` if it may be an object's name or OID."""
    return text if names.is_oid(text) else names.check_object(text)
