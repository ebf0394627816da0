"""Mandates that have ended PROPOSED: what becomes of them once their user has spoken.

Such a mandate has an end like any other. It begins again, as one more attempt under its own key, when its proposal is accepted,
by whoever comes first: the acceptance itself, a resend, or somebody who waits. What was drawn for it is kept until then.
"""

from __future__ import annotations

import asyncio

import msgspec

from actors.orchestrator import publish
from actors.orchestrator.journal.journal import Journal, MandateRow
from actors.orchestrator.thinking.consent import asker, is_sent
from protocol import codec
from protocol.errors import BatosError
from protocol.messages import Mandate, MandateReply
from protocol.origin import Origin
from world import history
from world.store import Store, snapshot


class Word(msgspec.Struct, frozen=True):
    """What a user has said about a proposal, and what is needed to go on: the packed mandate, and which attempt of it proposed."""

    state: str
    by: str
    because: str
    mandate: str
    body: bytes
    attempt: int
    origin: Origin | None


class Waiting:
    """What waits for the user's word, in one orchestrator: nobody else settles a proposal of its world."""

    def __init__(self, store: Store, journal: Journal) -> None:
        self._store, self._journal = store, journal
        self._spoken = asyncio.Event()

    def tell(self) -> None:
        """Something was settled: whoever waits looks again."""
        spoken, self._spoken = self._spoken, asyncio.Event()
        spoken.set()

    async def word(self, proposal: str, *, wait: bool = False) -> Word:
        """What was said about a proposal; with `wait` not before something was. UNKNOWN_PROPOSAL where it is forgotten."""
        while True:
            spoken = self._spoken  # before the look, so that nothing is said unheard after it
            found = await self._store.run(lambda: self._found(proposal), again=True)
            if not wait or found.state != history.WAITING:
                return found
            await spoken.wait()

    async def end(self, row: MandateRow, reply: MandateReply, *, wait: bool) -> MandateReply | None:
        """The answer to a mandate whose end is `reply`; None where it is to begin again. REJECTED where its user has said no."""
        if reply.proposal is None:
            return reply
        said = await self.word(reply.proposal, wait=wait)
        if said.state == history.WAITING:
            return reply
        if said.state == history.REJECTED:
            raise rejected(row, reply, said)
        if is_sent(codec.unpack(row.body, Mandate)):
            return None
        learned = None if reply.learned is None else msgspec.structs.replace(reply.learned, installed=True, reason="")
        return msgspec.structs.replace(reply, state="COMPLETE", learned=learned, proposal=None)

    async def open_again(self, row: MandateRow, seconds: float, body: bytes = b"") -> MandateRow:
        """Accept the mandate once more, with so many seconds. What it has published so far was a proposal, and counts no more."""
        await self._store.run(lambda: publish.forget(self._store.db, row.mandate), again=True)
        return await self._journal.run(lambda: self._journal.attempt_again(row, seconds, row.origin, body))

    async def taken_up(self, proposal: str, said: Word, seconds: float) -> MandateRow | None:
        """The mandate of an accepted proposal, which is to go on now; None where it has gone on, or has no message to send."""
        if not is_sent(codec.unpack(said.body, Mandate)):
            return None
        row = await self._journal.run(lambda: self._journal.by_id(said.mandate), durable=False)
        if row is None:  # the journal forgets; the message is kept with its proposal
            key = f"proposal {proposal}"
            return await self._journal.run(
                lambda: self._journal.accept(said.mandate, key, said.body, seconds, said.origin)
            )
        if row.state == "accepted":
            return row
        if row.attempt != said.attempt or row.state != "complete":
            return None
        if row.is_expired:  # the message is kept with its proposal
            return await self.open_again(row, seconds, said.body)
        if row.reply is None:
            return None
        if codec.unpack(row.reply, MandateReply).proposal != proposal:
            return None
        return await self.open_again(row, seconds)

    def _found(self, proposal: str) -> Word:
        with snapshot(self._store.db) as connection:
            found = connection.root()["proposals"].get(proposal)
            if found is None:
                raise BatosError(
                    "UNKNOWN_PROPOSAL",
                    f"the proposal {proposal} was settled, and is forgotten",
                    "Send the message again under a new key.",
                )
            return Word(found.state, found.by, found.because, found.mandate, found.body, found.attempt, asker(found))


def rejected(row: MandateRow, reply: MandateReply, said: Word) -> BatosError:
    """The end of a mandate whose proposal was rejected."""
    selector = reply.method.selector if reply.method is not None else "its message"
    because = f": {said.because}" if said.because else ""
    return BatosError(
        "REJECTED",
        f"{said.by} has rejected the method for {selector}{because}",
        "Send it again under a new key; whoever writes the method then is shown the reason.",
        mandate=row.mandate,
        proposal=reply.proposal,
    )
