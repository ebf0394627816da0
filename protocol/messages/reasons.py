"""What asks for reasons: which commit has changed an answer, what a mandate's thought was, and where something comes from.

Nothing of it writes anything.
"""

from __future__ import annotations

import msgspec

from protocol.codec import Value
from protocol.messages.past import ChangedObject


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


class Bisected(msgspec.Struct, frozen=True, kw_only=True):
    """The commit `tid` after which the answer was another one: when (Unix time), by whom, why, and in which cycle.

    `before` is the answer right before it, `after` the one right after it; `good` and `bad` are those of the two ends, and `trials`
    are all of them, as they were made, of which those with a long answer do not say it. Of `untried` (transactions) nobody knows: the culprit may be one of those too. `commits` is
    how many lie between the ends. `changed` is what it did to objects, at most to the first few.
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
    changed: list[ChangedObject]
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


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Tell where something comes from: a method (`box.area_`), a mandate or a cycle by its id, or a document by its id.

    `kind` (`method`, `mandate` or `document`) says which is meant where it could be several. With `used_by` also what came of it.
    """

    what: str
    kind: str = ""
    used_by: bool = False


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate, or a cycle within one, that something came of: who asked for what, when (Unix time), and how it ended.

    `said` is what was asked in a few words, "" where the journal has forgotten it.
    """

    mandate: str
    cycle: str | None
    said: str
    asked_by: str
    time: float
    state: str
    intent: str = ""


class DrawnTexts(msgspec.Struct, frozen=True, kw_only=True):
    """Texts that were drawn at a place of the trace (`path`) from one `prompt`: a seed for each, and all of their tokens.

    `prompt_sha256` is of the whole prompt, of which at most a beginning is told; `reply` is the key under which the journal has the
    texts, the digest of all that was asked for. `model` is a digest, `expert` a name, None for the base model.
    """

    path: str
    prompt: str
    prompt_sha256: str
    seeds: list[int]
    temperatures: list[float]
    tokens: int
    model: str
    expert: str | None
    reply: str


class ToldPassage(msgspec.Struct, frozen=True, kw_only=True):
    """A passage that memory has found for a `query`, at most a beginning of its `text`."""

    doc_id: str
    chunk_index: int
    chunk_oid: str
    score: float
    query: str
    text: str


class MethodReason(msgspec.Struct, frozen=True, kw_only=True):
    """A method as it stands on `holder` (an OID), since the commit `tid`, or stood there last (`stands` is False).

    `model` is the digest of the model that wrote it, `expert` that of the expert. `author` is the cycle or the user that wrote it, and
    `put_by` whoever has put it there, who said `why`. `origin` is the method that it was adopted from. `candidates` is how many texts were judged before. `read` is the moment of the
    world in which it was thought of. `replaced` is the hash of the version before.
    """

    name: str
    holder: str
    selector: str
    parameters: list[str]
    sha256: str | None
    source: str | None
    stands: bool
    tid: str
    time: float
    author: str
    put_by: str
    asked_by: str
    why: str
    intent: str
    origin: str
    model: str | None
    expert: str | None
    verdict: str
    examples: list[Value]
    versions: int
    replaced: str | None
    cycle: str | None
    read: str | None
    candidates: int


class WrittenReason(msgspec.Struct, frozen=True, kw_only=True):
    """A method that a mandate has written: on which object, and whether it was put there."""

    name: str
    oid: str
    selector: str
    sha256: str
    cycle: str
    installed: bool


class MandateReason(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate: its cycles, the methods that it has written, and what it has published in the commit `tid`.

    `digests` are those of its message and its end, where the journal keeps no more. `read` is the moment of the world in which it was
    thought of.
    """

    mandate: str
    cycles: list[Cause]
    wrote: list[WrittenReason]
    ending: Ending | None
    tid: str | None
    read: str | None
    changed: list[ChangedObject]
    documents: list[str]
    digests: dict[str, str]


class DocumentReason(msgspec.Struct, frozen=True, kw_only=True):
    """A document: how many passages it has, since when (Unix time) it is remembered, and what it says of itself."""

    doc_id: str
    sha256: str
    passages: int
    time: float
    metadata: dict[str, Value]
    sources: list[str]


class UsedBy(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: the methods that send it or were written with it, mandates that were answered by it, documents and threads.

    Each is named as a person names it. Of `unknown` nobody can say any more.
    """

    methods: list[str]
    mandates: list[Cause]
    documents: list[str]
    proposals: list[str]
    threads: list[str]
    unknown: list[str]


class Reasons(msgspec.Struct, frozen=True, kw_only=True):
    """Where something comes from. One of `method`, `mandate` and `document` is what was asked for, by `kind`.

    `causes` are what it came of, the outermost first. `texts` were drawn for it, and `passages` told. What could not be found out is
    `missing`, a sentence for each.
    """

    kind: str
    what: str
    method: MethodReason | None = None
    mandate: MandateReason | None = None
    document: DocumentReason | None = None
    causes: list[Cause] = []
    texts: list[DrawnTexts] = []
    passages: list[ToldPassage] = []
    missing: list[str] = []
    used_by: UsedBy | None = None
