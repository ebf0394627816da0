"""A mandate, read from the words of a command line and checked.

What cannot be right is refused here, before anything is sent. The orchestrator checks all of it again, because it
trusts no client.
"""

from __future__ import annotations

from collections.abc import Sequence

from batos.values import check_target, read_selector
from cli import values
from protocol import examples
from protocol.errors import BatosError
from protocol.mandates import check_intent, check_mandate
from protocol.messages import Learn, Mandate

__all__ = ["check_target", "read_intent", "read_mandate", "read_selector"]


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
