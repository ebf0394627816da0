"""The world for a program that has an event loop: `AsyncWorld`, and its objects."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from batos import reaching
from batos.asking import Manner, answer_of, question_of, within_thread
from batos.errors import typed_errors
from batos.learning import lesson_of
from batos.line import Line, check_key, within
from batos.replies import Answer, Lesson, Reply, widened
from batos.streams import AsyncStream
from batos.things import AsyncThing
from batos.values import (
    Bound,
    check_target,
    found,
    given,
    given_example,
    read_selector,
    slots_of,
    target_of,
    worded,
)
from protocol import codec, names, verbs
from protocol.checks import documents
from protocol.codec import Ref, Value
from protocol.errors import BatosError
from protocol.home import find_home
from protocol.mandates import check_mandate
from protocol.messages import (
    Accept,
    Accepted,
    Cancel,
    Cancelled,
    Check,
    Checked,
    Created,
    Define,
    Defined,
    Event,
    Example,
    History,
    Hit,
    Index,
    Indexed,
    Learn,
    List,
    Look,
    Mandate,
    MethodVersion,
    New,
    Proposal,
    Proposals,
    Reject,
    Rejected,
    Revert,
    Reverted,
    Search,
    StatusQuery,
    Unindex,
    Unindexed,
    Watch,
    Watched,
)
from protocol.origin import Origin
from protocol.verbs import Partial, Request, Verb
from protocol.verbs import Reply as ReplyType

LONG_S: Final = 600.0
"""Seconds for what a person starts and waits for: a check of all contracts, a document."""
PAGE: Final = 1000

Examples = Sequence[Mapping[str, Any] | Example]


def silent(_: Event) -> None:
    """Nobody listens."""


@typed_errors
class AsyncWorld(Bound):
    """The world that runs under a home (the folder; else $BATOS_HOME, else where `batos up` puts it).

    One connection, opened with the first question. Each write has a key of its own, so that one whose answer is lost is asked again
    and done once. `origin` is who asks, where that is another than the user of the home.
    """

    def __init__(self, home: str | Path | None = None, *, origin: Origin | None = None) -> None:
        self.home = find_home(None if home is None else str(home))
        self._line = Line(self.home, origin)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connection; what is under way ends as not there, and mandates go on."""
        await self._line.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.home.root}>"

    # Objects --------------------------------------------------------------------------------------------------

    async def new(
        self,
        name: str,
        slots: Mapping[str, Any] | None = None,
        /,
        *,
        parent: str | AsyncThing | None = None,
        key: str | None = None,
        **more: Any,
    ) -> AsyncThing:
        """Make an object with these slots; those that Python would take for an option stand in `slots`. NAME_TAKEN."""
        wanted = New(
            name=names.check_object(worded(name, "a name")),
            parent=None if parent is None else target_of(parent),
            slots=slots_of({**(slots or {}), **more}),
        )
        made: Created = await self.ask_verb(verbs.NEW, wanted, key=check_key(key))
        return self.thing(Ref(made.oid), made.name)

    async def get(self, name: str) -> AsyncThing:
        """The object of this name or OID. UNKNOWN_OBJECT."""
        looked = await self.ask_verb(verbs.LOOK, Look(target=check_target(name), limit=1))
        return self.thing(Ref(looked.oid), looked.name or "")

    async def objects(self) -> list[str]:
        """The names of all objects of the user."""
        return [str(item["name"]) for item in await self.listed("objects")]

    async def listed(self, kind: str) -> list[dict[str, Value]]:
        """All of a kind, as `batos ls KIND` lists them."""
        items: list[dict[str, Value]] = []
        after: str | None = None
        while True:
            page = await self.ask_verb(verbs.LIST, List(kind=kind, after=after, limit=PAGE))
            items += page.items
            if page.next is None:
                return items
            after = page.next

    def thing(self, ref: Ref, name: str = "") -> AsyncThing:
        """The object of this reference, which is not looked at."""
        return AsyncThing(self, ref.oid, name)

    # Messages -------------------------------------------------------------------------------------------------

    async def send(
        self,
        target: str | AsyncThing,
        selector: str,
        /,
        *args: Any,
        kwargs: Mapping[str, Any] | None = None,
        intent: str = "",
        examples: Examples = (),
        timeout: float | None = None,
        key: str | None = None,
        new: bool = False,
        wait: bool = False,
        detach: bool = False,
        on_event: Callable[[Event], None] = silent,
    ) -> Reply:
        """Send a message, and wait for what it comes to: at most `timeout` seconds, the mandate's own.

        `intent` and `examples` say what is wanted where the method must be written first. `detach`: come back as soon as it is
        durable; `wait`: where a method waits for its user's word, wait for that too.
        """
        mandate = self._message(target, selector, args, kwargs, intent=intent, examples=examples)
        mandate = msgspec.structs.replace(mandate, new=new, wait=wait, detach=detach)
        return await self._sent(check_mandate(mandate), key, timeout, on_event)

    def stream(self, target: str | AsyncThing, selector: str, /, *args: Any, **control: Any) -> AsyncStream[Reply]:
        """`send` with what happens on the way: `async for event in stream`, then `await stream.reply()`."""
        return AsyncStream(lambda on_event: self.send(target, selector, *args, on_event=on_event, **control))

    async def learn(
        self,
        target: str | AsyncThing,
        selector: str,
        /,
        *,
        intent: str = "",
        examples: Examples = (),
        again: bool = False,
        dry_run: bool = False,
        strict: bool = False,
        drop_contract: bool = False,
        timeout: float | None = None,
        key: str | None = None,
        on_event: Callable[[Event], None] = silent,
    ) -> Lesson:
        """Have the method of a message written, without sending it: `learn(box, "grow_(by)", examples=[…])`."""
        learn = Learn(again=again, dry_run=dry_run, strict=strict, drop_contract=drop_contract)
        mandate = msgspec.structs.replace(
            self._message(target, selector, (), None, intent=intent, examples=examples), learn=learn
        )
        reply = await self._mandate(check_mandate(mandate), check_key(key), timeout, on_event)
        return _lesson(lesson_of(reply))

    async def ask(
        self,
        question: str,
        *,
        way: str = "auto",
        thread: str | None = None,
        answers: bool = False,
        timeout: float | None = None,
        key: str | None = None,
        on_event: Callable[[Event], None] = silent,
    ) -> Answer:
        """Ask the mind about what it was told. `way` is auto, plain or deep; a `thread` keeps the conversation."""
        began, known = time.monotonic(), check_key(key)
        manner = codec.convert({"way": way, "thread": thread, "answers": answers}, Manner)
        mandate = question_of(worded(question, "a question"), manner)
        if thread is not None:
            mandate = await within_thread(self._line.ask, mandate, thread, known)
        reply = await self._mandate(mandate, known, timeout, on_event)
        answer: Answer = widened(answer_of(reply, thread, time.monotonic() - began, self.home), Answer)
        return answer

    def ask_stream(self, question: str, **control: Any) -> AsyncStream[Answer]:
        """`ask` with what happens on the way."""
        return AsyncStream(lambda on_event: self.ask(question, on_event=on_event, **control))

    async def watch(self, id: str, *, timeout: float = LONG_S, on_event: Callable[[Event], None] = silent) -> Watched:
        """Follow a mandate, named by its id or that of a cycle, to its end."""
        return await self.ask_verb(verbs.WATCH, Watch(id=id), seconds=timeout, on_partial=on_event)

    async def cancel(self, id: str) -> Cancelled:
        """End a mandate."""
        return await self.ask_verb(verbs.CANCEL, Cancel(id=id))

    # Memory ---------------------------------------------------------------------------------------------------

    async def remember(self, text: str, *, id: str, metadata: Mapping[str, Any] | None = None) -> Indexed:
        """Remember a text as the document `id`. The same again changes nothing. BAD_DOCUMENT, TOO_LARGE."""
        document = documents.check(id, text, dict(metadata or {}))
        request = Index(doc_id=document.doc_id, text=document.text, metadata=document.metadata)
        return await self.ask_verb(verbs.INDEX, request, key=check_key(None), seconds=LONG_S)

    async def search(
        self,
        query: str,
        *,
        top_k: int = 10,
        where: Mapping[str, Any] | None = None,
        since: float | None = None,
        until: float | None = None,
        around: int = 0,
        explain: bool = False,
        at: str | None = None,
    ) -> list[Hit]:
        """The best passages for `query`, as `Search` has these words."""
        request = Search(
            query=query,
            top_k=top_k,
            where=dict(where or {}),
            since=since,
            until=until,
            around=around,
            explain=explain,
            at=at,
        )
        return (await self.ask_verb(verbs.SEARCH, request)).hits

    async def forget(self, doc_id: str) -> Unindexed:
        """Forget a document. UNKNOWN_DOCUMENT."""
        return await self.ask_verb(verbs.UNINDEX, Unindex(doc_id=doc_id), key=check_key(None))

    # Methods --------------------------------------------------------------------------------------------------

    async def define(
        self, target: str | AsyncThing, source: str, *, drop_contract: bool = False, key: str | None = None
    ) -> Defined:
        """Put the methods that `source` holds on an object. REFUSED, with what the guardian has found in the data."""
        wanted = Define(name=target_of(target), source=source, drop_contract=drop_contract)
        return await self.ask_verb(verbs.DEFINE, wanted, key=check_key(key))

    async def history(self, target: str | AsyncThing, selector: str | None = None) -> list[MethodVersion]:
        """Every version of a method, or of all that an object has and had, the newest first."""
        wanted = None if selector is None else read_selector(selector)[0]
        found_: list[MethodVersion] = []
        after: int | None = 0
        while after is not None:
            asked = History(name=target_of(target), selector=wanted, after=after, limit=PAGE)
            page = await self.ask_verb(verbs.HISTORY, asked)
            found_ += page.versions
            after = page.next
        return found_

    async def revert(
        self, target: str | AsyncThing, selector: str, to: str | None = None, *, drop_contract: bool = False
    ) -> Reverted:
        """Let an earlier version stand again: that of the sha256 `to`, or the one before."""
        word, _ = read_selector(selector)
        wanted = Revert(name=target_of(target), selector=word, to=to, drop_contract=drop_contract)
        return await self.ask_verb(verbs.REVERT, wanted, key=check_key(None))

    async def check(self, *targets: str | AsyncThing) -> Checked:
        """Try every contract of the world, or those of the objects that are named."""
        return await self.ask_verb(verbs.CHECK, Check(names=[target_of(one) for one in targets]), seconds=LONG_S)

    async def proposals(self) -> list[Proposal]:
        """What waits for the user's word, the oldest first."""
        return (await self.ask_verb(verbs.PROPOSALS, Proposals(limit=PAGE))).proposals

    async def accept(self, id: str, *, send: bool = True) -> Accepted:
        """Let a proposed method stand; its message goes on, and `watch` follows it."""
        return await self.ask_verb(verbs.ACCEPT, Accept(id=id, send=send), key=check_key(None))

    async def reject(self, id: str, because: str = "") -> Rejected:
        """Refuse a proposed method."""
        return await self.ask_verb(verbs.REJECT, Reject(id=id, because=because), key=check_key(None))

    async def status(self) -> dict[str, dict[str, Any]]:
        """How each part of the system is."""
        told: dict[str, dict[str, Any]] = {}
        for service, verb in verbs.STATUS.items():
            try:
                one = await self.ask_verb(verb, StatusQuery())
                told[service] = msgspec.structs.asdict(one)
            except BatosError as error:
                if error.code == "NOT_RUNNING":
                    raise
                told[service] = {"ready": False, "waiting_for": error.message}
        return told

    # The wire -------------------------------------------------------------------------------------------------

    async def ask_verb(
        self,
        verb: Verb[Request, ReplyType, Partial],
        request: Request,
        *,
        key: str = "",
        seconds: float = reaching.ANSWER_S,
        on_partial: Callable[[Partial], None] | None = None,
    ) -> ReplyType:
        """The typed reply to any verb of the protocol; raises an `Error` of its class."""
        return await self._line.ask(verb, request, key=key, seconds=seconds, on_partial=on_partial)

    def _message(
        self,
        target: str | AsyncThing,
        selector: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any] | None,
        *,
        intent: str,
        examples: Examples,
    ) -> Mandate:
        word, parameters = read_selector(selector)
        return Mandate(
            target=target_of(target),
            selector=word,
            parameters=parameters,
            args=[given(value, f"argument {number}") for number, value in enumerate(args, 1)],
            kwargs={
                worded(name, "an argument's name"): given(value, f"argument {name}")
                for name, value in (kwargs or {}).items()
            },
            examples=[given_example(one, f"example {number}") for number, one in enumerate(examples, 1)],
            intent=worded(intent, "an intent").strip(),
        )

    async def _sent(
        self, mandate: Mandate, key: str | None, timeout: float | None, on_event: Callable[[Event], None]
    ) -> Reply:
        known = check_key(key)
        reply = await self._mandate(mandate, known, timeout, on_event)
        facts = {name: getattr(reply, name) for name in reply.__struct_fields__ if name != "result"}
        return Reply(**facts, result=found(reply.result, self.thing), key=known)

    async def _mandate(
        self, mandate: Mandate, key: str, timeout: float | None, on_event: Callable[[Event], None]
    ) -> Any:
        return await self._line.send(within(mandate, timeout), key, on_event)


def _lesson(found_: Any) -> Lesson:
    made: Lesson = widened(found_, Lesson)
    return made
