"""What a person writes into the world by hand, and what comes of it: the user's own methods, slots and names.

Each request but `List` and `History` is carried out as a mandate (`Mandate.hand`): durable once it is acknowledged, under
the envelope's `idem` as its key, and published in one transaction or not at all.
"""

from __future__ import annotations

import msgspec

from protocol.codec import Value
from protocol.messages.bundles import ImportBundle
from protocol.messages.forgetting import ForgetDerived
from protocol.messages.guardian import Example, Violation
from protocol.messages.past import Rewind, Undo


class Define(msgspec.Struct, frozen=True, kw_only=True, tag="define"):
    """Put the methods that `source` holds, one or several, on the object `name`, all of them or none.

    A method that stands there under the same selector is replaced. Its contract must hold, and those of the methods that send
    the selector, unless `drop_contract`. With `replaces` (a sha256, or "" for none) it must be that very method which stands
    there: REPLACED otherwise.
    """

    name: str
    source: str
    drop_contract: bool = False
    replaces: str | None = None


class DefinedMethod(msgspec.Struct, frozen=True, kw_only=True):
    """The guardian's answer on one method of a source; the lines of its violations are those of the whole source."""

    selector: str
    sha256: str
    verdict: str
    violations: list[Violation] = []


class Defined(msgspec.Struct, frozen=True, kw_only=True):
    """The methods that stand on the object now. `tid` is None where all of them stood there already.

    With a `proposal` they stand nowhere as yet: whoever asked may not install, and the method waits for its user's word.
    """

    name: str
    oid: str
    methods: list[DefinedMethod]
    tid: str | None = None
    proposal: str | None = None


class SetSlots(msgspec.Struct, frozen=True, kw_only=True, tag="set"):
    """Write own slots of the object `name`, parents (`parent*`) too. Values name objects as those of a mandate do.

    The slot `_learning` says whether the mind may write methods there: `auto`, `propose` or `deny`.
    """

    name: str
    slots: dict[str, Value]


class SlotsSet(msgspec.Struct, frozen=True, kw_only=True):
    """The slots that have changed. `tid` is None where each held that value already."""

    name: str
    oid: str
    slots: list[str]
    tid: str | None = None


class Drop(msgspec.Struct, frozen=True, kw_only=True, tag="drop"):
    """Take the own slot or method `entry` from the object `name`; without an `entry`, take the name away.

    What stands on it is named instead (IN_USE), unless it is to be done by `force`.
    """

    name: str
    entry: str | None = None
    force: bool = False


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """What was dropped: a method, a slot, or the name, under which nothing is found any more."""

    name: str
    oid: str
    entry: str | None = None
    tid: str | None = None


class Rename(msgspec.Struct, frozen=True, kw_only=True, tag="rename"):
    """Give the object `name` the name `to` in its place. Whoever refers to the object goes on to do so."""

    name: str
    to: str


class Renamed(msgspec.Struct, frozen=True, kw_only=True):
    """The object under its new name."""

    name: str
    before: str
    oid: str
    tid: str | None = None


class Revert(msgspec.Struct, frozen=True, kw_only=True, tag="revert"):
    """Let an earlier version of a method stand again, through the gates again, with the contract that it had.

    That contract must hold, and those of the methods that send the selector, unless `drop_contract`. `to` is its sha256 or the beginning of one; None is the version before the one that stands, or the last one of a method
    that was dropped.
    """

    name: str
    selector: str
    to: str | None = None
    drop_contract: bool = False


class Reverted(msgspec.Struct, frozen=True, kw_only=True):
    """The version that stands now; a primitive has no sha256. `tid` is None where it stood there already.

    `proposal` is as in `Defined`.
    """

    name: str
    oid: str
    selector: str
    sha256: str | None
    tid: str | None = None
    proposal: str | None = None


class FinishedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A message that has been answered: by which mandate, to which object (an OID), and what came of it."""

    mandate: str
    receiver: str
    selector: str
    example: Example


class Confirm(msgspec.Struct, frozen=True, kw_only=True, tag="confirm"):
    """Let what the message of a finished mandate did be an example of the method that answers it.

    `mandate` is its id, the beginning of one, or `last` for the newest message. `call` is what the orchestrator reads of it.
    EXPIRED where journal or world have forgotten it.
    """

    mandate: str
    call: FinishedCall | None = None


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """The method's holder, the new example, and how many it owes now. `tid` is None where it owed that one already."""

    name: str
    oid: str
    selector: str
    mandate: str
    example: Value
    examples: int
    tid: str | None = None


class Correct(msgspec.Struct, frozen=True, kw_only=True):
    """Have the method learned again that has answered the message of a mandate, by what should have come of it.

    That becomes an example (absent: not said), and an old one of the same inputs goes. `mandate` is as in `Confirm`, `seconds` as
    in a mandate. A failed mandate can be corrected too.
    """

    mandate: str
    returns: Value | msgspec.UnsetType = msgspec.UNSET
    slots_after: dict[str, Value] | msgspec.UnsetType = msgspec.UNSET
    seconds: float | None = None


class Accept(msgspec.Struct, frozen=True, kw_only=True, tag="accept"):
    """Let the method of the proposal `id` stand, once it has been judged and tried again. With `send` its message is sent.

    SETTLED where it was accepted or rejected before, REFUSED where it does not hold any more: then it goes on to wait.
    """

    id: str
    send: bool = True


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The method that stands now. `moved`: what was read for it has changed since it was proposed.

    `sends` is the mandate that goes on with its message now, None where none is sent.
    """

    id: str
    name: str
    oid: str
    selector: str
    sha256: str
    moved: bool
    mandate: str
    sends: str | None = None
    tid: str | None = None


class Reject(msgspec.Struct, frozen=True, kw_only=True, tag="reject"):
    """Refuse the proposal `id`. The reason, `because`, is shown to whoever writes that method the next time."""

    id: str
    because: str = ""


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """The proposal that is refused now."""

    id: str
    name: str
    oid: str
    selector: str
    sha256: str
    because: str
    tid: str | None = None


Hand = (
    Define
    | SetSlots
    | Drop
    | Rename
    | Revert
    | Confirm
    | ImportBundle
    | Accept
    | Reject
    | ForgetDerived
    | Undo
    | Rewind
)


class Proposals(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for the user's word, the oldest first: at most `limit`, after the one of the id `after`.

    With `id`, or its unique beginning, that one alone, also where it is settled already. UNKNOWN_PROPOSAL where there is none.
    """

    id: str | None = None
    after: str | None = None
    limit: int = 100


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A method that holds what is asked of it, and is not installed.

    `replaces` is the hash of the method that stood in its place, and `diff` leads from that one's source to this one's.
    `result` is what the message itself did in its trial, `cases` what came of the examples, `doubts` inputs on which other
    methods that hold them do otherwise. `moved`: what was read for it has changed since. `state` is `waiting`, `accepted` or
    `rejected`, since when (Unix time `settled`), `by` whom, and `because` of what. `asked_by` is whoever has asked for it:
    `user:lena`, `mcp:claude-code`. `drops` are the examples that the method in its place owes, and this one would not.
    """

    id: str
    name: str
    oid: str
    selector: str
    sha256: str
    replaces: str | None
    doubts: list[Value]
    age_s: float
    state: str
    mandate: str
    cycle: str
    source: str
    parameters: list[str]
    intent: str
    examples: list[Value]
    origin: str
    verdict: str
    cases: list[Value]
    result: Value
    diff: str
    moved: bool
    by: str = ""
    because: str = ""
    settled: float | None = None
    asked_by: str = ""
    drops: list[Value] = []


class ProposalsReply(msgspec.Struct, frozen=True, kw_only=True):
    """One page. `next` is the `after` of the next one, None on the last."""

    proposals: list[Proposal]
    next: str | None = None


class List(msgspec.Struct, frozen=True, kw_only=True):
    """List what the world holds of a `kind`: `objects`, `methods`, `documents`, `experts`, `proposals` or `names`, in their order.

    At most `limit` items, beginning after the one called `after`: the `next` of the page before.
    """

    kind: str = "objects"
    after: str | None = None
    limit: int = 100


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One page. `next` is None on the last one.

    An object is {"name", "oid", "parents", "slots", "methods"}, with the number of its own slots and methods; a method is {"name",
    "selector", "parameters", "sha256", "author", "verdict", "intent"}; a document {"doc_id", "chunks", "sha256"}; an expert {"name",
    "sha256", "bytes"}; a proposal {"id", "name", "selector", "sha256", "replaces", "doubts", "age_s"}, with the number of its doubts;
    a name {"name", "oid", "kind"}, of the kind `object`, `persona` or `root`.
    """

    kind: str
    items: list[dict[str, Value]]
    next: str | None = None


class History(msgspec.Struct, frozen=True, kw_only=True):
    """The versions of one method of an object, or of all of them, the newest first; at most `limit`, after `after` others."""

    name: str
    selector: str | None = None
    after: int = 0
    limit: int = 100


class MethodVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a method, with its contract: since which transaction and when (Unix time), by whom, and why.

    `verdict` is that of the guardian, `primitive` for one without a source, or `dropped` where the method was taken away then.
    `asked_by` is whoever has asked for it by a door (`mcp:claude-code`), "" for the user of the home.
    """

    selector: str
    tid: str
    time: float
    sha256: str | None
    author: str
    why: str
    verdict: str
    stands: bool
    source: str | None = None
    intent: str = ""
    examples: list[Value] = []
    model: str | None = None
    expert: str | None = None
    origin: str = ""
    asked_by: str = ""


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """`holder` is the object that has the method, itself or as an heir of it. `next` is the `after` of the next page."""

    name: str
    holder: str
    versions: list[MethodVersion]
    next: int | None = None
