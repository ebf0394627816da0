"""What each tool takes: a flat view of the protocol's requests, pleasant to fill in for a model.

The docstring of a struct is the tool's description and the `description` of a field its own, so they are written for the
agent that reads them. Values are JSON, in which `{"$ref": name}` stands for an object.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from protocol.envelope import MAX_KEY
from protocol.mandates import MAX_SECONDS
from protocol.messages import Example

Name = Annotated[str, Meta(description="The object: its name, or its OID (16 hexadecimal digits).")]
Selector = Annotated[
    str, Meta(description="The message. It ends in an underscore and may name its parameters: area_ or increment_(by).")
]
Key = Annotated[
    str | None,
    Meta(
        description="An idempotency key of your own: the same call with the same key is done once and answered again, "
        "so that you may repeat it when an answer was lost.",
        extra_json_schema={"maxLength": MAX_KEY},
    ),
]
Seconds = Annotated[
    float | None,
    Meta(
        description="The most seconds that it may take. Left out, the system decides by the speed of its model.",
        extra_json_schema={"maximum": MAX_SECONDS},
    ),
]
Limit = Annotated[int, Meta(ge=1, le=1000, description="The most entries of one answer.")]
After = Annotated[str | None, Meta(description="Go on after this entry: the `next` of the answer before.")]
When = Annotated[
    str | None, Meta(description='A moment of the past: a transaction id, an ISO time, or "5 minutes ago".')
]
Slots = Annotated[
    dict[str, Any], Meta(description='Slots by their names, such as {"width": 5, "lid": {"$ref": "lid"}}.')
]
Intent = Annotated[str, Meta(description="What the method is for, in a sentence.")]
Examples = Annotated[
    list[Example],
    Meta(
        description='What the method must do, such as {"slots": {"width": 3, "height": 4}, "args": [], "returns": 12}; '
        "`slots_after` says what slots must be then. Every candidate is tried on them, and the method owes them for life. "
        "Two or three that differ are best.",
    ),
]
DropContract = Annotated[
    bool, Meta(description="The examples of the method that is replaced, and of those that send it, need not hold.")
]


class Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The arguments of a tool; nothing but these."""


class Objects(Given, frozen=True, kw_only=True):
    """List the objects of the world by name, with how many slots and methods each has of its own."""

    after: After = None
    limit: Limit = 100


class Look(Given, frozen=True, kw_only=True):
    """Look at one object: its slots, the objects that it delegates to, and its own methods with source, author and verdict."""

    name: Name
    at: When = None
    after: After = None
    limit: Limit = 100


class Source(Given, frozen=True, kw_only=True):
    """Read the method that an object runs for a message, its own or an inherited one."""

    name: Name
    selector: Selector
    at: When = None


class Send(Given, frozen=True, kw_only=True):
    """Send a message to an object, and get what it returns.

    A message that the object does not understand is learned on the way: a method is written, checked by the guardian and tried
    on the examples; this takes from seconds to minutes. State PROPOSED: the method is written and waits for the user of this
    world, who alone can accept it (`proposal` is its id); the message is answered after that. Whatever this door may not
    install ends so. Of a message that fails nothing is written.
    """

    name: Name
    selector: Selector
    args: Annotated[list[Any], Meta(description="The arguments by their places.")] = []
    kwargs: Annotated[dict[str, Any], Meta(description="The arguments by their names.")] = {}
    examples: Examples = []
    intent: Intent = ""
    new: Annotated[
        bool,
        Meta(
            description="It is meant as it is written, although the object understands one that is written almost so."
        ),
    ] = False
    seconds: Seconds = None
    key: Key = None


class Learn(Given, frozen=True, kw_only=True):
    """Have the method of a message written, without sending it.

    With examples it is written until a candidate holds all of them; without, you are shown the likeliest methods, and nothing is
    installed. `doubts` are inputs on which methods that hold the examples differ: settle them with one more example. State
    PROPOSED: it waits for the user of this world.
    """

    name: Name
    selector: Selector
    intent: Intent = ""
    examples: Examples = []
    again: Annotated[
        bool, Meta(description="A better method for a message that is understood; its old examples must still hold.")
    ] = False
    dry_run: Annotated[bool, Meta(description="Only show what would be written.")] = False
    strict: Annotated[bool, Meta(description="Install nothing where methods that hold the examples differ.")] = False
    drop_contract: DropContract = False
    seconds: Seconds = None
    key: Key = None


class Define(Given, frozen=True, kw_only=True):
    """Put methods that you have written yourself on an object, all of them or none.

    Each is one Python function without imports, such as `def grow_(self, by):`, whose last statement is `self._p_changed = True`
    where it changes slots; `guard` says what else is allowed. A method that it replaces must have its examples held. Where this
    door may not install, give one method at a time: it becomes a proposal (`proposal` is its id) and waits for the user of this world.
    """

    name: Name
    source: Annotated[str, Meta(description="One function or several.")]
    drop_contract: DropContract = False
    replaces: Annotated[
        str | None,
        Meta(
            description='The sha256 of the method that this replaces, "" where none may stand there; another one is REPLACED.'
        ),
    ] = None
    key: Key = None


class Guard(Given, frozen=True, kw_only=True):
    """Ask the guardian whether the source of a method keeps to the rules. Nothing is written; do it before `define`."""

    source: Annotated[str, Meta(description="One function.")]
    gate: Annotated[Literal["covenant", "policy", "all"], Meta(description="Only this gate's rules.")] = "all"


class Check(Given, frozen=True, kw_only=True):
    """Try every contract: whether the methods still do what their examples ask. Nothing is written."""

    names: Annotated[list[str], Meta(description="The objects whose methods are tried; none: all of them.")] = []


class Proposals(Given, frozen=True, kw_only=True):
    """List the methods that are written and wait for the user's word, the oldest first, with source, cases, doubts and diff."""

    id: Annotated[str | None, Meta(description="That one alone, by its id or its beginning, settled or not.")] = None
    after: After = None
    limit: Limit = 20


class Ask(Given, frozen=True, kw_only=True):
    """Ask a question of what this world remembers. Each sentence of the answer is pointed to a passage (`citations`).

    `refused`: the documents do not say. `unknown`: numbers and names of the answer that stand in no passage.
    """

    question: str
    way: Annotated[
        Literal["auto", "plain", "deep"],
        Meta(description="plain: one prompt; deep: several personas answer parts of it."),
    ] = "auto"
    thread: Annotated[
        str | None,
        Meta(description="The name of the object that keeps this conversation; it is made where there is none."),
    ] = None
    answers: Annotated[bool, Meta(description="Earlier answers are sources too.")] = False
    seconds: Seconds = None
    key: Key = None


class Remember(Given, frozen=True, kw_only=True):
    """Remember a text, so that `search` and `ask` find it. The same text under the same id a second time changes nothing;
    another text under an id takes the place of the one before.
    """

    doc_id: Annotated[str, Meta(description="What the document is called, such as notes/deploy.md.")]
    text: str
    metadata: Annotated[
        dict[str, Any],
        Meta(description='What is known about it, such as {"date": "2026-01-31"}; `search` narrows by it.'),
    ] = {}


class Search(Given, frozen=True, kw_only=True):
    """Find passages of what is remembered, the best first."""

    query: str
    top_k: Annotated[int, Meta(ge=1, le=100)] = 10
    where: Annotated[
        dict[str, Any], Meta(description="Only documents whose metadata has every one of these entries.")
    ] = {}
    since: Annotated[float | None, Meta(description="Only documents from then on, in seconds since 1970.")] = None
    until: Annotated[float | None, Meta(description="Only documents from before then, in seconds since 1970.")] = None
    around: Annotated[int, Meta(ge=0, le=5, description="So many passages before and after each one.")] = 0


class History(Given, frozen=True, kw_only=True):
    """Every version of a method, or of all that an object has and had: source, examples, author and verdict, the newest first."""

    name: Name
    selector: Annotated[str | None, Meta(description="Of this message alone.")] = None
    after: Annotated[int, Meta(ge=0, description="Skip so many: the `next` of the answer before.")] = 0
    limit: Limit = 20


class Revert(Given, frozen=True, kw_only=True):
    """Let an earlier version of a method stand again, through the same gates.

    Where this door may not install, that is proposed to the user of this world.
    """

    name: Name
    selector: Selector
    to: Annotated[str | None, Meta(description="Its sha256 or the beginning of it; left out: the version before.")] = (
        None
    )
    drop_contract: DropContract = False
    key: Key = None


class New(Given, frozen=True, kw_only=True):
    """Make an object."""

    name: Annotated[str, Meta(description="A name that nothing has yet.")]
    slots: Slots = {}
    parent: Annotated[str | None, Meta(description="The object whose slots and methods it inherits.")] = None
    key: Key = None


class Accept(Given, frozen=True, kw_only=True):
    """Let a proposed method stand. It is judged and tried once more first."""

    id: Annotated[str, Meta(description="The proposal's id or its beginning.")]
    send: Annotated[bool, Meta(description="Send the message that it was written for.")] = True
    key: Key = None


class Reject(Given, frozen=True, kw_only=True):
    """Refuse a proposed method. The reason is shown to whoever writes it the next time."""

    id: Annotated[str, Meta(description="The proposal's id or its beginning.")]
    because: str = ""
    key: Key = None


class Forget(Given, frozen=True, kw_only=True):
    """Forget a document."""

    doc_id: str


class Set(Given, frozen=True, kw_only=True):
    """Write slots of an object, parents (`parent*`) too."""

    name: Name
    slots: Slots
    key: Key = None


class Drop(Given, frozen=True, kw_only=True):
    """Take a slot or a method from an object; without an entry, the name of the object itself."""

    name: Name
    entry: Annotated[str | None, Meta(description="The slot or the selector.")] = None
    force: Annotated[bool, Meta(description="Although something stands on it.")] = False
    key: Key = None
