"""What is tried before a method of the kernel or of a persona is replaced: one message and one question, over what is dropped then.

Everything stands on these methods: one that the gates let in may still keep each message of the world from being answered. So with
the new ones in place an object made for it is sent a message that it must learn first, by a source that is given, and the mind is
asked a question, up to where the model would be asked. What memory would answer is nothing. Only the guardian is really asked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import msgspec

from actors.orchestrator.thinking.asks import Begin, Left, RemoteCall, SentBy, Thinking
from actors.orchestrator.thinking.interpreter import NOT_UNDERSTOOD, send
from actors.orchestrator.thinking.overlay import Overlay
from actors.orchestrator.thinking.thought import Contract, Ledger, Message, Thought
from protocol import verbs
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.mandates import MAX_SECONDS
from protocol.messages import Example, Found, Learn, Ranked

SELECTOR: Final = "rehearsed_"
SOURCE: Final = f"def {SELECTOR}(self):\n    return self.width * self.height\n"
CASES: Final = [
    Example(slots={"width": 3, "height": 4}, returns=12),
    Example(slots={"width": 5, "height": 2}, returns=10),
]
QUESTION: Final = "What is it that a question like this one goes through?"
MOST_SENDS: Final = 300
HINT: Final = "Nothing has changed. Mend it; `batos source` shows the one that stands, `batos revert` has earlier ones."


def rehearse(thought: Thought, oid: str) -> Thinking[None]:
    """REFUSED where a message or a question fails with what the overlay has changed; nothing to do for a user's own object."""
    overlay = thought.overlay
    if not overlay.is_kernel(oid) and overlay.name(oid) not in overlay.connection.root()["personas"]:
        return
    aside = overlay.aside()
    # What the mind may write elsewhere says nothing here: of this object nothing lasts.
    slots: dict[str, Value] = {"_learning": "auto", "width": 3, "height": 4}
    made = aside.add({"parent*": Ref(aside.root_oid("traits_obj")), **slots})
    contract = Contract([], CASES, learn=Learn(candidates=[SOURCE]))
    scratch = replace(
        thought,
        overlay=aside,
        limits=msgspec.structs.replace(thought.limits, effects=MOST_SENDS),
        ledger=Ledger(),
        contracts={(made.oid, SELECTOR): contract},
    )
    learn = Message(NOT_UNDERSTOOD, [SELECTOR, [], {}])
    yield from _try(scratch, "a message that is to be learned", made.oid, learn)
    if SELECTOR in aside.own(made.oid):
        yield from _try(scratch, "a message", made.oid, Message(SELECTOR))
    scratch = replace(scratch, ledger=Ledger(), contracts={})
    yield from _try(scratch, "a question", aside.root_oid("orchestrator_obj"), Message("ask_", [QUESTION]))


def _try(scratch: Thought, what: str, oid: str, message: Message) -> Thinking[None]:
    try:
        yield from _played(scratch.overlay, send(scratch, oid, message, f"m.rehearsal.{message.selector}"))
    except BatosError as error:
        if error.is_passing:
            raise
        raise BatosError("REFUSED", f"with it {what} would fail: {error.code}: {error.message}", HINT) from error


def _played(aside: Overlay, thinking: Thinking[Value]) -> Thinking[None]:
    """Drive a thought of which nothing lasts, to its end or to where it asks for what only the model can say."""
    answer: Any = None
    error: BatosError | None = None
    while True:
        try:
            ask = thinking.send(answer) if error is None else thinking.throw(error)
        except StopIteration:
            return
        answer, error = None, None
        match ask:
            case Begin() if ask.is_shared and ask.selector != SELECTOR:
                error = BatosError("UNKNOWN_METHOD", f"{ask.selector} is sent, which nobody understands")
            case Begin():
                answer = Ref(aside.connection.new_oid().hex())
            case SentBy():
                answer = []
            case Left():
                answer = MAX_SECONDS
            case RemoteCall(verb=verbs.SEARCH):
                answer = Found(hits=[], seconds=0.0)
            case RemoteCall(verb=verbs.RANK):
                answer = Ranked(scores=[0.0] * len(ask.request.texts))
            case RemoteCall() if ask.verb.service == "guardian":
                try:
                    answer = yield ask
                except BatosError as raised:
                    error = raised
            case RemoteCall():
                thinking.close()
                return
