"""What a person writes into the world: methods, slots and names, read from the words of a command line and checked.

Each is done once for its key, however often its answer is lost. A check writes nothing, and is begun again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from bus.again import Again
from cli import values, wire
from cli.calls import mandate, sending
from cli.calls.sending import Sending
from protocol import codec, names, verbs
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.home import Home
from protocol.mandates import check_learning
from protocol.messages import (
    Accept,
    Accepted,
    Check,
    Checked,
    CheckProgress,
    Confirm,
    Confirmed,
    Correct,
    Define,
    Defined,
    Drop,
    Dropped,
    History,
    List,
    Listed,
    Proposals,
    ProposalsReply,
    Reject,
    Rejected,
    Rename,
    Renamed,
    Revert,
    Reverted,
    SetSlots,
    SlotsSet,
    Versions,
    Violation,
)
from protocol.texts import STDIN, bounded_text

MAX_SOURCE: Final = 1 << 19
MOST_S: Final = 86_400.0
"""Seconds that a check may take: a large world has many contracts, and Ctrl-C ends it."""


def read_source(file: str) -> str:
    """The text of `file`, or of standard input for `-`; UNREADABLE, TOO_LARGE, or BAD_ARGUMENT where there is nothing in it."""
    text = bounded_text(
        file,
        name=shown(file),
        most=MAX_SOURCE,
        parts="Define its methods in several files.",
        convert="Save it as UTF-8.",
        code="UNREADABLE",
    )
    if not text.strip():
        raise BatosError(
            "BAD_ARGUMENT",
            f"{shown(file)} is empty",
            "Write one method or several, such as: def area_(self): return self.width * self.height",
        )
    return text


def shown(file: str) -> str:
    return "standard input" if file == STDIN else file


async def define(
    home: Home,
    name: str,
    source: str,
    *,
    drop_contract: bool = False,
    replaces: str | None = None,
    key: str | None = None,
) -> Defined:
    """The methods of `source` stand on the object `name`."""
    wanted = Define(name=mandate.check_target(name), source=source, drop_contract=drop_contract, replaces=replaces)
    return await wire.ask(home, verbs.DEFINE, wanted, key=sending.check_key(key))


async def set_slots(home: Home, name: str, words: Sequence[str], key: str | None = None) -> SlotsSet:
    """The slots that the words `slot=json` state, parents (`parent*=@box`) too, stand on the object `name`."""
    slots = values.read_pairs([_quoted(word) for word in words], "slot")
    for slot in slots:
        names.check_setting(slot)
    if names.LEARNING in slots:
        check_learning(slots[names.LEARNING])
    codec.encode(slots)
    wanted = SetSlots(name=mandate.check_target(name), slots=slots)
    return await wire.ask(home, verbs.SET, wanted, key=sending.check_key(key))


def _quoted(word: str) -> str:
    """`_learning=propose` says it without the quotes of JSON, as whatever word stands there."""
    slot, _, said = word.partition("=")
    return f'{slot}="{said}"' if slot == names.LEARNING and said.isidentifier() else word


async def drop(home: Home, name: str, entry: str | None, *, force: bool = False, key: str | None = None) -> Dropped:
    """A method, a slot, or the name of an object is gone."""
    wanted = Drop(name=mandate.check_target(name), entry=entry, force=force)
    return await wire.ask(home, verbs.DROP, wanted, key=sending.check_key(key))


async def rename(home: Home, old: str, new: str, key: str | None = None) -> Renamed:
    """The object is called `new`."""
    wanted = Rename(name=mandate.check_target(old), to=names.check_object(new))
    return await wire.ask(home, verbs.RENAME, wanted, key=sending.check_key(key))


async def revert(
    home: Home,
    name: str,
    selector: str,
    to: str | None = None,
    key: str | None = None,
    *,
    drop_contract: bool = False,
) -> Reverted:
    """An earlier version of a method stands again."""
    word, _ = mandate.read_selector(selector)
    wanted = Revert(name=mandate.check_target(name), selector=word, to=to, drop_contract=drop_contract)
    return await wire.ask(home, verbs.REVERT, wanted, key=sending.check_key(key))


async def accept(home: Home, id_: str, *, send: bool, key: str | None = None) -> Accepted:
    """A proposed method stands on its object."""
    return await wire.ask(home, verbs.ACCEPT, Accept(id=id_, send=send), key=sending.check_key(key))


async def reject(home: Home, id_: str, because: str, key: str | None = None) -> Rejected:
    """A proposed method never stands."""
    wanted = Reject(id=id_, because=mandate.read_intent(because))
    return await wire.ask(home, verbs.REJECT, wanted, key=sending.check_key(key))


async def proposals(home: Home, id_: str | None, after: str | None, limit: int) -> ProposalsReply:
    """A page of what waits for the user's word, or one of it."""
    return await wire.ask(home, verbs.PROPOSALS, Proposals(id=id_, after=after, limit=limit))


async def listed(home: Home, kind: str, after: str | None, limit: int) -> Listed:
    """A page of what there is of a kind."""
    return await wire.ask(home, verbs.LIST, List(kind=kind, after=after, limit=limit))


async def history(home: Home, name: str, selector: str | None, after: int, limit: int) -> Versions:
    """A page of the versions of a method, or of all that an object has and had."""
    wanted = None if selector is None else mandate.read_selector(selector)[0]
    asked = History(name=mandate.check_target(name), selector=wanted, after=after, limit=limit)
    return await wire.ask(home, verbs.HISTORY, asked)


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


def violations(error: BatosError) -> list[Violation]:
    """What the guardian has found wrong, where that is why `error` was raised."""
    methods = error.data.get("methods")
    found = [one for method in methods for one in method["violations"]] if isinstance(methods, list) else []
    return [Violation(rule=one["rule"], line=one["line"], message=one["message"]) for one in found]
