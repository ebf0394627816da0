"""What asks for reasons: which commit has changed an answer, what a mandate's thought was, and where something comes from.

Nothing of it writes anything.
"""

from __future__ import annotations

import msgspec

from protocol.codec import Value


class Bisect(msgspec.Struct, frozen=True, kw_only=True):
    """Find the commit after which a message to `target` (a name or an OID) was not answered by `expect` any more.

    `good` and `bad` are moments as in `Look`; `bad` None: now. At the good one it must be answered so, at the bad one not.
    """

    target: str
    selector: str
    args: list[Value] = []
    kwargs: dict[str, Value] = {}
    expect: Value
    good: str
    bad: str | None = None


class TriedMoment(msgspec.Struct, frozen=True, kw_only=True):
    """What the message was answered with right after the transaction `tid`, at `time` (Unix time).

    Either `returns`, or the failure's `code` and `message`. `as_expected` is None where it could not be tried there.
    """

    tid: str
    time: float
    as_expected: bool | None
    returns: Value | msgspec.UnsetType = msgspec.UNSET
    code: str = ""
    message: str = ""


class BisectProgress(msgspec.Struct, frozen=True, kw_only=True):
    """One more trial is done, of about so many; `left` commits could still be the one."""

    done: int
    total: int
    left: int
    moment: TriedMoment


class ChangedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit did to a slot or a method (`entry`) of an object: it was `added`, `changed` or `removed`."""

    name: str
    oid: str
    entry: str
    is_method: bool
    change: str


class Bisected(msgspec.Struct, frozen=True, kw_only=True):
    """The commit `tid` after which the answer was another one: when (Unix time), by whom, why, and in which cycle.

    `before` is the answer right before it, `after` the one right after it; `good` and `bad` are those of the two ends, and `trials`
    are all of them, as they were made. Of `untried` (transactions) nobody knows: the culprit may be one of those too. `commits` is
    how many lie between the ends. `changed` is what it did to objects, at most so many entries that a person reads them.
    """

    tid: str
    time: float
    author: str
    why: str
    cycle: str | None
    good: TriedMoment
    bad: TriedMoment
    before: TriedMoment
    after: TriedMoment
    trials: list[TriedMoment]
    untried: list[str]
    commits: int
    changed: list[ChangedEntry]
    seconds: float


class OtherSource(msgspec.Struct, frozen=True, kw_only=True):
    """A method that is to stand on the object `name` (a name or an OID) instead of what stood there."""

    name: str
    selector: str
    source: str


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """Think a mandate's thought again, from what the journal keeps of it, without any effect.

    `id` is the mandate's or that of one of its cycles, or the unique beginning of either. With `sources` it is what would have been.
    """

    id: str
    sources: list[OtherSource] = []


class ReplayedStep(msgspec.Struct, frozen=True, kw_only=True):
    """A send that has its answer, of `size` bytes, as in `Step`. `tokens` were generated for it then; none are now."""

    path: str
    send: str
    state: str
    size: int
    tokens: int


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a thought ends: COMPLETE with a `result`, PROPOSED, or FAILED of `code`. `sha256` is of the method that was written."""

    state: str
    result: Value = None
    sha256: str | None = None
    code: str = ""
    message: str = ""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The first difference, at the place `path` of the trace: what was there `then`, and what is there `now`, in a few words."""

    path: str
    then: str
    now: str


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """A thought that was thought again in the world right after the transaction `tid`, of `time` (Unix time): `same` where nothing differs.

    `steps` are those of now, of `total` that there are. `now` is None where it could not come to its end: at `stopped` it asks for what
    the journal has no reply to. `sources` are the methods that it was thought with instead of others, by their digests.
    """

    mandate: str
    cycle: str | None
    target: str
    selector: str
    tid: str
    time: float
    same: bool
    steps: list[ReplayedStep]
    total: int
    then: Ending
    now: Ending | None
    difference: Difference | None
    stopped: Difference | None
    sources: list[dict[str, str]]
    seconds: float
