"""What a request needs of whoever asks: the right of its verb, or a greater one where the request itself says so.

Of mandates a question to the mind needs `ask`, one in a thread and a message `send`, one that is to be learned `propose`; what is done by hand needs the
right of its own verb. To put another codex in the place of the world's needs `install`.
"""

from __future__ import annotations

from typing import Any, Final

from protocol.messages import Codex, Define, Mandate, Revert
from protocol.messages.hand import Hand
from protocol.names import MIND
from protocol.origin import Origin, Right, may, not_allowed
from protocol.verbs import AnyVerb

ASK: Final = "ask_"
_THREAD: Final = 2
"""Where the thread stands among the arguments of a question, unless it is named."""


def right_of(verb: AnyVerb, request: Any) -> Right | None:
    """The right that `request` needs; None: none."""
    match request:
        case Mandate(hand=None):
            return _of_message(request)
        case Mandate(hand=hand) if hand is not None:
            return right_of_hand(hand)
        case Codex(text=str()):
            return "install"
        case _:
            return verb.right


def check_right(origin: Origin | None, verb: AnyVerb, request: Any) -> None:
    """NOT_ALLOWED where `origin` may not ask this."""
    right = None if origin is None else right_of(verb, request)
    if origin is not None and right is not None and not may(origin, right):
        raise not_allowed(origin, right, f"{verb.service}.{verb.name}")


def right_of_hand(hand: Hand) -> Right:
    """Writing a method by hand can be left as a proposal; the rest is what a person decides."""
    return "propose" if isinstance(hand, Define | Revert) else "install"


def is_question(mandate: Mandate) -> bool:
    """Whether the message is a question to the mind itself."""
    return (mandate.target, mandate.selector) == (MIND, ASK) and mandate.hand is None and mandate.learn is None


def _of_message(mandate: Mandate) -> Right:
    if mandate.learn is not None:
        return "propose"
    return "ask" if is_question(mandate) and not _keeps_turns(mandate) else "send"


def _keeps_turns(mandate: Mandate) -> bool:
    """Whether a question names a thread: an object, to which a message is sent that changes it."""
    return mandate.kwargs.get("thread") is not None or mandate.args[_THREAD : _THREAD + 1] not in ([], [None])
