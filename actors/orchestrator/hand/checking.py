"""`check`: every contract of a moment of the world is tried, many at once, and nothing of it lasts.

It is no mandate: it has no turn, no place in the queue and no trace, and reads from a snapshot of its own. Each contract is tried
by the mechanism that tries a candidate. What leaves the world in that is answered by the examples, so nothing but the guardian
is asked. Who asks may go away: what is under way then ends, and the rest is not begun.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final, Generic, TypeVar

import msgspec
import transaction
from ZODB.Connection import Connection

from actors.orchestrator.primitives.contracts import holding
from actors.orchestrator.primitives.performers import PERFORMERS
from actors.orchestrator.thinking.asks import RemoteCall, Thinking
from actors.orchestrator.thinking.overlay import Overlay
from actors.orchestrator.thinking.thought import Thought
from bus.again import Again
from bus.client import Caller
from protocol.errors import BatosError
from protocol.examples import failed_case
from protocol.home import Settings
from protocol.messages import BrokenCase, Check, Checked, CheckedMethod, CheckProgress
from world import root as world_root
from world.finding import mentions
from world.method import UvmMethod
from world.store import Store, moment_of
from world.uvm import UvmObject
from world.values import oid_of

T = TypeVar("T")

AT_ONCE: Final = 8
"""Contracts on their way to the guardian: some for each of its workers, and few enough that others come between."""
FOUND_AT_ONCE: Final = 100
PROGRESS_S: Final = 0.5
ASK_S: Final = 60.0
"""Seconds for one question to the guardian, which may be busy with others."""
MOST_TOLD: Final = 20_000
"""Methods of a reply: their names may be long, and it must fit a frame."""


class Contract(msgspec.Struct, frozen=True):
    """A method that owes something: what its holder is called, the holder (an OID), and the selector."""

    label: str
    holder: str
    selector: str


class Checking:
    """One check. `tell` hears how far it is, `is_wanted` is asked before each contract."""

    def __init__(
        self,
        store: Store,
        caller: Caller,
        settings: Settings,
        tell: Callable[[CheckProgress], None],
        is_wanted: Callable[[], bool],
    ) -> None:
        self._store, self._caller, self._settings = store, caller, settings
        self._tell, self._is_wanted = tell, is_wanted
        self._manager = transaction.TransactionManager(explicit=True)
        self._told_at = 0.0
        self._without = 0

    async def run(self, request: Check) -> Checked:
        """Try the contracts. UNKNOWN_OBJECT for a name of nothing, CANCELLED where nobody waits any more."""
        began = time.monotonic()
        connection = await self._store.run(self._open)
        try:
            tid = moment_of(connection)
            contracts = await self._contracts(connection, request.names)
            found = await self._try(connection, contracts)
        finally:
            await self._store.run(partial(self._close, connection))
        broken = [method for method in found if method.failed]
        held = [method for method in found if not method.failed]
        return Checked(
            ok=not broken,
            methods=[*broken, *held][:MOST_TOLD],
            contracts=len(found),
            examples=sum(method.passed + method.failed for method in found),
            without=self._without,
            seconds=round(time.monotonic() - began, 3),
            tid=tid,
        )

    def _open(self) -> Connection:
        connection = self._store.db.open(self._manager)
        self._manager.begin()
        return connection

    def _close(self, connection: Connection) -> None:
        self._manager.abort()
        connection.close()

    async def _contracts(self, connection: Connection, names: list[str]) -> list[Contract]:
        """Found a few at a time, so that others come to the world's thread between them."""
        standing = _standing(connection, names)
        found: list[Contract] = []
        while part := await self._store.run(lambda: list(islice(standing, FOUND_AT_ONCE))):
            owing = [one for one in part if one is not None]
            found += owing
            self._without += len(part) - len(owing)
        return sorted(found, key=lambda one: (one.label, one.selector))

    async def _try(self, connection: Connection, contracts: list[Contract]) -> list[CheckedMethod]:
        """All contracts, `AT_ONCE` at a time; in their order."""
        found: dict[int, CheckedMethod] = {}
        waiting = iter(enumerate(contracts))

        async def one_after_the_other() -> None:
            for number, contract in waiting:
                if not self._is_wanted():
                    raise BatosError("CANCELLED", "nobody waits for this check any more", "Nothing was written.")
                found[number] = await self._one(connection, contract)
                self._progress(found, len(contracts))

        tasks = [asyncio.create_task(one_after_the_other()) for _ in range(min(AT_ONCE, len(contracts)))]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return [found[number] for number in range(len(contracts))]

    async def _one(self, connection: Connection, contract: Contract) -> CheckedMethod:
        thought = Thought("check", Overlay(connection), self._settings.orchestrator, PERFORMERS)
        return await driven(self._store, self._caller, _tried(thought, contract))

    def _progress(self, found: dict[int, CheckedMethod], total: int) -> None:
        now = time.monotonic()
        if now - self._told_at >= PROGRESS_S:
            self._told_at = now
            broken = sum(1 for method in found.values() if method.failed)
            self._tell(CheckProgress(done=len(found), total=total, broken=broken))


def _standing(connection: Connection, names: list[str]) -> Iterator[Contract | None]:
    """The contracts of the world, or of the named objects; None for a method of the user's that owes nothing."""
    for holder, method in _methods(connection, names):
        if method.examples:
            yield Contract(holder._name or oid_of(holder), oid_of(holder), method.selector)
        elif not world_root.is_kernel(holder):  # the system's own methods are no user's to give a contract
            yield None


def _methods(connection: Connection, names: list[str]) -> Iterator[tuple[UvmObject, UvmMethod]]:
    if not names:
        yield from mentions.methods(connection)
    for holder in {oid_of(here): here for here in (world_root.resolve(connection, name) for name in names)}.values():
        for method in list(holder._slots.values()):
            if isinstance(method, UvmMethod) and method.source is not None:
                yield holder, method


def _tried(thought: Thought, contract: Contract) -> Thinking[CheckedMethod]:
    """How a method does. What keeps it from being tried, and is no matter of the moment, is a break of its contract too."""
    method = thought.overlay.own(contract.holder)[contract.selector]
    draft = holding.draft_of(method, method.author)
    try:
        cases, _ = yield from holding.tried(thought, contract.holder, draft, "m")
    except BatosError as error:
        if error.is_passing or error.is_fatal:
            raise
        cases = [failed_case("TRIAL_FAILED", f"{error.code}: {error.message}")] * len(draft.examples)
    broken = [
        BrokenCase(number=number, asked=holding.shown(draft.examples[number - 1]), rule=case.rule, message=case.message)
        for number, case in enumerate(cases, 1)
        if not case.passed
    ]
    return CheckedMethod(
        name=contract.label,
        selector=contract.selector,
        passed=len(cases) - len(broken),
        failed=len(broken),
        cases=broken,
    )


async def driven(store: Store, caller: Caller, thinking: Thinking[T]) -> T:
    """What a thought comes to that asks the guardian alone, as trials do: it advances on the world's thread."""
    answer: Any = None
    error: BatosError | None = None
    while True:
        step = await store.run(partial(_advance, thinking, answer, error))
        if isinstance(step, _Result):
            return step.value
        answer, error = None, None
        try:
            answer = await _asked(caller, step)
        except BatosError as raised:
            error = raised


@dataclass(slots=True, frozen=True)
class _Result(Generic[T]):
    value: T


def _advance(thinking: Thinking[T], answer: Any, error: BatosError | None) -> RemoteCall | _Result[T]:
    """Go on to what the guardian is to be asked, or to the end."""
    try:
        ask = thinking.send(answer) if error is None else thinking.throw(error)
    except StopIteration as stop:
        return _Result(stop.value)
    if not isinstance(ask, RemoteCall):
        raise BatosError("INTERNAL", f"a trial has asked for {type(ask).__name__}", "This is a bug.")
    return ask


async def _asked(caller: Caller, ask: RemoteCall) -> Any:
    async def attempt(left: float) -> Any:
        return await caller.call(ask.verb, ask.request, seconds=left)

    try:
        return await Again(ASK_S, is_patient=True).answer(attempt)
    except TimeoutError:
        raise BatosError(
            "TIMEOUT", f"the guardian has not answered within {ASK_S:g} s", "See `batos status`."
        ) from None
