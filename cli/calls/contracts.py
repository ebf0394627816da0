"""Contracts: all of them tried, a real call added to one, and a call corrected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from bus.again import Again
from cli import values, wire
from cli.calls import mandate, sending
from cli.calls.sending import Sending
from protocol import verbs
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Check, Checked, CheckProgress, Confirm, Confirmed, Correct

MOST_S: Final = 86_400.0
"""Seconds that a check may take: a large world has many contracts, and Ctrl-C ends it."""


async def check(home: Home, names: Sequence[str], on_progress: Callable[[CheckProgress], None]) -> Checked:
    """How every contract holds, or those of the named objects; begun again where the system is lost on the way."""
    wanted = Check(names=[mandate.check_target(name) for name in names])
    again = Again(MOST_S)
    while True:
        try:
            async with wire.client(home) as bus:
                await wire.reach(home, bus, verbs.CHECK.service)
                return await bus.call(verbs.CHECK, wanted, seconds=again.left, on_partial=on_progress)
        except BatosError as error:
            if not again.may(error):
                raise wire.told(home, error) from error
        await again.rest()


async def confirm(home: Home, id_: str, key: str | None = None) -> Confirmed:
    """What the message of a mandate did is an example of its method."""
    return await wire.ask(home, verbs.CONFIRM, Confirm(mandate=id_), key=sending.check_key(key))


def correction(
    home: Home,
    id_: str,
    *,
    returns: str | None,
    slots_after: str | None,
    key: str | None,
    seconds: float | None,
) -> Sending:
    """The mandate that has the method of a mandate's message learned again, by what the words say. USAGE, BAD_JSON, BAD_ARGUMENT."""
    if returns is None and slots_after is None:
        raise BatosError(
            "USAGE", "nothing is said of what it should have been", "Give --returns JSON, --slots-after JSON, or both."
        )
    after: dict[str, Value] | msgspec.UnsetType = msgspec.UNSET
    if slots_after is not None:
        read = values.read_outside(slots_after, "--slots-after")
        if not isinstance(read, dict) or not all(isinstance(slot, str) for slot in read):
            raise BatosError("BAD_ARGUMENT", "--slots-after is no object of slots", 'Such as: {"width": 5}')
        after = {str(slot): value for slot, value in read.items()}
    wanted = Correct(
        mandate=id_,
        returns=msgspec.UNSET if returns is None else values.read_outside(returns, "--returns"),
        slots_after=after,
    )
    return Sending(home, wanted, key, seconds, verbs.CORRECT)
