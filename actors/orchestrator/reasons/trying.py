"""A message tried in a moment of the past: through the interpreter, in the jail, over an overlay that is dropped.

What is understood may be sent to, and what it changes is seen by what it sends. Nothing is written, and what leaves the world
(inference, memory) cannot be tried, since nobody knows what it would have been answered then.
"""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import Final

import msgspec
import transaction
from ZODB import DB
from ZODB.Connection import Connection
from ZODB.POSException import POSKeyError
from ZODB.utils import p64

from actors.orchestrator.hand.checking import driven
from actors.orchestrator.primitives import trials
from actors.orchestrator.primitives.performers import PERFORMERS
from actors.orchestrator.thinking.asks import Thinking
from actors.orchestrator.thinking.interpreter import send
from actors.orchestrator.thinking.overlay import Overlay
from actors.orchestrator.thinking.thought import Message, Thought, Trialing, Untried
from bus.client import Caller
from protocol import codec
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.home import Settings
from world.store import Store

TRIED_S: Final = 2.0
"""Seconds of processor time for each run, as for any method."""


_PASSING: Final = 1 << 62


class TriedCall(msgspec.Struct, frozen=True):
    """A message to an object (a name or an OID), in which names stand for objects as they were called in the moment."""

    target: str
    selector: str
    args: list[Value] = []
    kwargs: dict[str, Value] = {}


class Outcome(msgspec.Struct, frozen=True):
    """What came of it: a `value`, or an `error`. One that `is_untried` says why nothing is known."""

    value: Value = None
    error: BatosError | None = None
    is_untried: bool = False


class Trying:
    """Tries messages in moments of one store."""

    def __init__(self, store: Store, caller: Caller, settings: Settings) -> None:
        self._store, self._caller, self._settings = store, caller, settings

    async def at(self, tid: bytes, call: TriedCall) -> Outcome:
        """What `call` was answered with right after the transaction `tid`. EXPIRED where the world has forgotten that moment."""
        manager = transaction.TransactionManager(explicit=True)
        connection = await self._store.run(partial(self._open, manager, tid))
        try:
            overlay = Overlay(connection)
            return await driven(self._store, self._caller, self._tried(overlay, call, tid))
        finally:
            await self._store.run(partial(_close, manager, connection))

    def _open(self, manager: transaction.TransactionManager, tid: bytes) -> Connection:
        return open_past(self._store.db, manager, tid)

    def _tried(self, overlay: Overlay, call: TriedCall, tid: bytes) -> Thinking[Outcome]:
        try:
            return (yield from self._sent(overlay, call))
        except Untried as untried:
            if untried.reason == Untried.NOBODY:
                selector = untried.sent[0] or call.selector
                return Outcome(error=BatosError("UNKNOWN_METHOD", f"nobody understood {selector}"))
            if untried.reason == Untried.NO_REPLY:
                told = f"it sent {untried.sent[0]}, which asks inference or memory, or changes them"
                return Outcome(error=BatosError("TRIAL_SEND", told), is_untried=True)
            return Outcome(error=BatosError("BUDGET_EXCEEDED", untried.message), is_untried=True)
        except POSKeyError as error:
            raise expired(tid) from error
        except BatosError as error:
            if error.is_passing:
                raise
            return Outcome(error=error)

    def _sent(self, overlay: Overlay, call: TriedCall) -> Thinking[Outcome]:
        def find(name: str) -> Ref:
            return Ref(overlay.find(name))

        oid = overlay.find(call.target)
        args = [codec.resolved(value, find) for value in call.args]
        kwargs = {name: codec.resolved(value, find) for name, value in call.kwargs.items()}
        trial = Trialing(trials.PERFORMED, [], TRIED_S)
        thought = Thought("trial", overlay, self._settings.orchestrator, PERFORMERS, trial=trial)
        overlay.push()
        value = yield from send(thought, oid, Message(call.selector, args, kwargs), "m")
        return Outcome(value=trials.told(overlay, value))


def open_past(db: DB, manager: transaction.TransactionManager, tid: bytes) -> Connection:
    """The world as it was right after the transaction `tid`. An object that is made in it has an OID that no world comes so far as to."""
    connection = db.open(manager, at=tid)
    manager.begin()
    numbers = count(_PASSING)
    # A moment of the past has no OIDs to give; nothing of what is made here lasts.
    vars(connection)["new_oid"] = lambda: p64(next(numbers))
    return connection


def expired(tid: bytes) -> BatosError:
    """That the world of a moment is forgotten."""
    return BatosError(
        "EXPIRED",
        f"the world has forgotten the moment {tid.hex()}: it was packed away",
        "Give a later moment. `keep` in batos.toml says how long history is kept.",
    )


def _close(manager: transaction.TransactionManager, connection: Connection) -> None:
    manager.abort()
    connection.close()
