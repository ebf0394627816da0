"""A door's line to the system: one connection for as long as the door is open, whether or not anything runs behind it.

Whoever asks through the door stands on every request as its origin; what an origin may do is decided where the request is
answered. A door opens before `batos up` and stays open after `batos down`: each request says NOT_RUNNING meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import msgspec
from ulid import ULID

from batos import reaching
from batos.values import worded
from bus.again import AGAIN_S, Again
from bus.client import Caller, Client
from protocol import verbs
from protocol.envelope import MAX_KEY
from protocol.errors import BatosError
from protocol.home import Home
from protocol.mandates import MAX_SECONDS
from protocol.messages import Cancel, Event, Mandate, MandateReply
from protocol.origin import Origin
from protocol.verbs import Partial, Reply, Request, Verb

SENDER: Final = f"batos.{os.getpid()}"
LAST_WORD_S: Final = 1.0
"""Seconds after a mandate's own deadline in which it still says how it has ended."""
LOST_S: Final = 240.0
"""Seconds that a system which was lost may stay away, where the mandate's own time is not for us to say."""
STARTS_S: Final = 15.0
"""Seconds that the orchestrator may take to be ready after a crash, on a busy machine."""
FRESH_S: Final = 2.0
"""Seconds for which a service that has answered is taken to be there."""
CANCEL_S: Final = 5.0
"""Seconds within which a mandate that is to be cancelled must be known by an id, and be told."""


def check_key(key: str | None) -> str:
    """`key` if it can be one, or a new one; USAGE otherwise."""
    if key is not None and (not 0 < len(worded(key, "a key")) <= MAX_KEY or not key.isprintable()):
        raise BatosError("USAGE", "this key is no key", f"Give 1 to {MAX_KEY} printable characters.")
    return str(ULID()) if key is None else key


class Line:
    """What a door asks of the system that runs under `home`, on behalf of `origin`."""

    def __init__(self, home: Home, origin: Origin | None) -> None:
        self.home = home
        self.origin = origin
        self._client: Client | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._answered: dict[str, float] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def ask(
        self,
        verb: Verb[Request, Reply, Partial],
        request: Request,
        *,
        key: str = "",
        seconds: float = reaching.ANSWER_S,
        on_partial: Callable[[Partial], None] | None = None,
    ) -> Reply:
        """The typed reply to one request. One with an idempotency `key` goes out again where its answer was lost."""
        again, began = Again(seconds), time.monotonic()
        while True:
            try:
                return await self._once(verb, request, key, again.left, on_partial)
            except BatosError as error:
                may = again.may(error) or _restarts(error, verb.service, began)
                if not key or not may or again.left < AGAIN_S:
                    raise reaching.told(self.home, error) from error
            await again.rest()

    async def call(
        self,
        verb: Verb[Request, Reply, Partial],
        request: Request,
        *,
        seconds: float,
        idem: str = "",
        causation: str = "",  # noqa: ARG002 - a door's requests have no cause but their client
        on_partial: Callable[[Partial], None] | None = None,
        origin: Origin | None = None,  # noqa: ARG002 - it is the line's own
    ) -> Reply:
        """`ask`, for what takes any caller."""
        return await self.ask(verb, request, key=idem, seconds=seconds, on_partial=on_partial)

    async def send(self, mandate: Mandate, key: str | None, on_event: Callable[[Event], None]) -> MandateReply:
        """How the mandate ends, however often the system is lost on the way.

        Whoever stops waiting for it (by cancelling this) leaves it to go on, unless they `cancel` it.
        """
        known, again = check_key(key), Again(MAX_SECONDS + LAST_WORD_S, once_lost=LOST_S)
        taken: list[str] = []
        began = time.monotonic()

        def note(event: Event) -> None:
            taken.append(event.mandate)
            again.back()
            on_event(event)

        while again.left > 0:
            try:
                return await self._once(verbs.MANDATE, mandate, known, again.left, note)
            except BatosError as error:
                # A TIMEOUT that does not say `goes_on` is of the bus, which has given up, and not of the mandate.
                is_late = error.code == "TIMEOUT" and "goes_on" not in error.data
                may = again.may(error, was_taken=bool(taken)) or _restarts(error, verbs.MANDATE.service, began)
                if not is_late and not may:
                    raise _known(reaching.told(self.home, error), known, taken) from error
            await again.rest()
        lost = BatosError("TIMEOUT", "the system was lost, and is not there again", "Ask again with the same key.")
        raise _known(lost, known, taken)

    async def cancel(self, mandate: str) -> None:
        """End a mandate; one that has ended, or that nobody can be told of, is left as it is."""
        with contextlib.suppress(BatosError):
            await self.ask(verbs.CANCEL, Cancel(id=mandate), seconds=CANCEL_S)

    async def _once(
        self,
        verb: Verb[Request, Reply, Partial],
        request: Request,
        key: str,
        seconds: float,
        on_partial: Callable[[Partial], None] | None,
    ) -> Reply:
        await self._settle()
        bus, now = self._bus(), time.monotonic
        try:
            if now() - self._answered.get(verb.service, 0.0) > FRESH_S:
                # A request for a service without a worker would wait until its deadline.
                await reaching.reach(self.home, bus, verb.service)
            reply = await bus.call(verb, request, seconds=seconds, idem=key, on_partial=on_partial)
        except BatosError as error:
            if error.is_away or error.code == "TIMEOUT":
                self._answered.pop(verb.service, None)
            raise
        self._answered[verb.service] = now()
        return reply

    async def _settle(self) -> None:
        """Belong to the loop that runs now: a program may call `asyncio.run` again, and what was connected in the last one is deaf."""
        here = asyncio.get_running_loop()
        if self._loop is here:
            return
        if self._loop is not None and self._loop.is_running():
            raise BatosError("BAD_ARGUMENT", "another event loop asks by this connection", "Make one for each loop.")
        self._loop = here
        await self.close()

    def _bus(self) -> Caller:
        if not (self.home.run / "bus.sock").exists():
            self._answered.clear()
            raise reaching.not_running(self.home)
        if self._client is None:
            self._client = Client(self.home.bus, SENDER, origin=self.origin)
        return self._client


class Sent:
    """A mandate on its way by `line`: what is known of it, for whoever stops waiting."""

    def __init__(self, line: Line, mandate: Mandate, key: str | None, on_event: Callable[[Event], None]) -> None:
        self._line = line
        self._on_event = on_event
        self._accepted = asyncio.Event()
        self.id = ""
        self._task = asyncio.create_task(line.send(mandate, key, self._note))

    async def ended(self) -> MandateReply:
        """How it has ended. Cancelling this ends nothing but the waiting: `cancel` or `leave` comes next."""
        return await asyncio.shield(self._task)

    async def cancel(self) -> None:
        """End the mandate, which must be known to the system first: what is on its way is acknowledged in a moment."""
        told = asyncio.create_task(self._accepted.wait())
        await asyncio.wait({told, self._task}, timeout=CANCEL_S, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if self.id and not self._task.done():
            await self._line.cancel(self.id)
        await self.leave()

    async def leave(self) -> None:
        """Wait no more; the mandate goes on."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _note(self, event: Event) -> None:
        self.id = event.mandate
        self._accepted.set()
        self._on_event(event)


def _restarts(error: BatosError, service: str, since: float) -> bool:
    """Whether the service is soon there, so that a program need not be told: the orchestrator, which begins without a model."""
    is_soon = time.monotonic() - since < STARTS_S
    return error.code == "NOT_READY" and service == verbs.MANDATE.service and is_soon


def _known(error: BatosError, key: str, mandates: list[str]) -> BatosError:
    facts = {"key": key, **({"mandate": mandates[-1]} if mandates else {})}
    return BatosError(error.code, error.message, error.hint, **{**facts, **error.data})


def within(mandate: Mandate, seconds: float | None) -> Mandate:
    """The mandate with the time that it may take; BAD_ARGUMENT for what is no time."""
    if seconds is None:
        return mandate
    if not 0 < seconds <= MAX_SECONDS:
        raise BatosError(
            "BAD_ARGUMENT", f"{seconds:g} is no time to wait", f"Give seconds, more than 0, at most {MAX_SECONDS:g}."
        )
    return msgspec.structs.replace(mandate, seconds=seconds)
