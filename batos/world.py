"""The world for a program or a notebook without an event loop: `World`, and its objects.

world = World()
box = world.new("box", width=5, height=6)
box.area_()
"""

from __future__ import annotations

import weakref
from collections.abc import Coroutine, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from batos.errors import BadInput, Error, Unknown, typed
from batos.objects import Stream, Thing, of
from batos.values import Bound
from protocol.codec import Ref
from protocol.errors import BatosError
from protocol.origin import Origin

if TYPE_CHECKING:
    from batos.replies import Answer, Lesson, Reply
    from protocol.messages import (
        Accepted,
        Cancelled,
        Checked,
        Defined,
        Hit,
        Indexed,
        MethodVersion,
        Proposal,
        Rejected,
        Reverted,
        Unindexed,
        Watched,
    )

T = TypeVar("T")


class World(Bound):
    """The world that runs under a home (the folder; else $BATOS_HOME, else where `batos up` puts it).

    May be used from several threads. It connects with the first question, and lets go with `close`, at the end of a `with`, or
    when nobody has it any more. Failures are `batos.Error`s.
    """

    def __init__(self, home: str | Path | None = None, *, origin: Origin | None = None) -> None:
        from batos.asynchronous import AsyncWorld  # noqa: PLC0415 - with the first World, not with the import
        from batos.loop import background  # noqa: PLC0415

        self._loop = background()
        try:
            self._world = AsyncWorld(home, origin=origin)
        except BatosError as error:
            raise typed(error) from error
        self._loop.keep(self._world)
        weakref.finalize(self, self._loop.let_go, self._world).atexit = False  # the loop has an end of its own

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection; the next question connects again."""
        self._run(self._world.close())

    def __repr__(self) -> str:
        return f"<World {self._world.home.root}>"

    def _repr_html_(self) -> str:
        from batos.replies import table  # noqa: PLC0415

        return table({"home": str(self._world.home.root), "objects": ", ".join(self.objects())})

    # Objects --------------------------------------------------------------------------------------------------

    def new(self, name: str, slots: Mapping[str, Any] | None = None, /, **more: Any) -> Thing:
        """Make an object with these slots, or with `parent` and `key`; slots of these two names stand in `slots`. NAME_TAKEN."""
        return Thing(self, self._run(self._world.new(name, slots, **more)))

    def get(self, name: str) -> Thing:
        """The object of this name or OID. UNKNOWN_OBJECT."""
        return Thing(self, self._run(self._world.get(name)))

    def __getitem__(self, name: str) -> Thing:
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        try:
            self.get(str(name))
        except Unknown:
            return False
        except BadInput:
            return False
        return True

    def objects(self) -> list[str]:
        """The names of all objects of the user."""
        return self._run(self._world.objects())

    def __iter__(self) -> Iterator[str]:
        return iter(self.objects())

    # Messages -------------------------------------------------------------------------------------------------

    def send(self, target: str | Thing, selector: str, /, *args: Any, **control: Any) -> Reply:
        """Send a message: `intent`, `examples`, `timeout`, `key`, `kwargs`, `new`, `wait`, `detach` as `AsyncWorld.send` has them."""
        return self._things(self._run(self._world.send(of(target), selector, *args, **control)))

    def stream(self, target: str | Thing, selector: str, /, *args: Any, **control: Any) -> Stream[Reply]:
        """`send` with what happens on the way: `for event in stream`, then `stream.reply()`."""
        return Stream(self, lambda: self._world.stream(of(target), selector, *args, **control))

    def learn(self, target: str | Thing, selector: str, /, **control: Any) -> Lesson:
        """Have the method of a message written, without sending it."""
        return self._run(self._world.learn(of(target), selector, **control))

    def ask(self, question: str, **control: Any) -> Answer:
        """Ask the mind: `way`, `thread`, `answers`, `timeout`, `key` as `AsyncWorld.ask` has them."""
        return self._run(self._world.ask(question, **control))

    def ask_stream(self, question: str, **control: Any) -> Stream[Answer]:
        """`ask` with what happens on the way."""
        return Stream(self, lambda: self._world.ask_stream(question, **control))

    def watch(self, id: str, **control: Any) -> Watched:
        """Follow a mandate to its end, for at most `timeout` seconds."""
        return self._things(self._run(self._world.watch(id, **control)))

    def cancel(self, id: str) -> Cancelled:
        """End a mandate."""
        return self._run(self._world.cancel(id))

    # Memory ---------------------------------------------------------------------------------------------------

    def remember(self, text: str, *, id: str, metadata: Mapping[str, Any] | None = None) -> Indexed:
        """Remember a text as the document `id`. The same again changes nothing."""
        return self._run(self._world.remember(text, id=id, metadata=metadata))

    def search(self, query: str, **narrowed: Any) -> list[Hit]:
        """The best passages for `query`: `top_k`, `where`, `since`, `until`, `around`, `explain`, `at`."""
        return self._run(self._world.search(query, **narrowed))

    def forget(self, doc_id: str) -> Unindexed:
        """Forget a document. UNKNOWN_DOCUMENT."""
        return self._run(self._world.forget(doc_id))

    # Methods --------------------------------------------------------------------------------------------------

    def define(self, target: str | Thing, source: str, **control: Any) -> Defined:
        """Put the methods that `source` holds on an object. REFUSED."""
        return self._run(self._world.define(of(target), source, **control))

    def history(self, target: str | Thing, selector: str | None = None) -> list[MethodVersion]:
        """Every version of a method, or of all that an object has and had, the newest first."""
        return self._run(self._world.history(of(target), selector))

    def revert(self, target: str | Thing, selector: str, to: str | None = None, **control: Any) -> Reverted:
        """Let an earlier version stand again."""
        return self._run(self._world.revert(of(target), selector, to, **control))

    def check(self, *targets: str | Thing) -> Checked:
        """Try every contract of the world, or those of the objects that are named."""
        return self._run(self._world.check(*map(of, targets)))

    def proposals(self) -> list[Proposal]:
        """What waits for the user's word, the oldest first."""
        return self._run(self._world.proposals())

    def accept(self, id: str, *, send: bool = True) -> Accepted:
        """Let a proposed method stand; its message goes on."""
        return self._run(self._world.accept(id, send=send))

    def reject(self, id: str, because: str = "") -> Rejected:
        """Refuse a proposed method."""
        return self._run(self._world.reject(id, because))

    def status(self) -> dict[str, dict[str, Any]]:
        """How each part of the system is."""
        return self._run(self._world.status())

    # Beneath --------------------------------------------------------------------------------------------------

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._loop.run(work)
        except BatosError as error:
            if isinstance(error, Error):
                raise
            raise typed(error) from error
        except KeyboardInterrupt as stopped:
            stopped.add_note(
                "What was sent may go on: `batos cycle ls` shows it, world.watch(ID) follows it, world.cancel(ID) ends it."
            )
            raise

    def _things(self, reply: T) -> T:
        """`reply` with objects of this world for those of the one beneath."""
        import msgspec  # noqa: PLC0415

        return msgspec.structs.replace(reply, result=self._thing_in(getattr(reply, "result", None)))  # type: ignore[type-var]

    def _thing_in(self, value: Any) -> Any:
        from batos.things import AsyncThing  # noqa: PLC0415

        if isinstance(value, Ref):
            return Thing(self, self._world.thing(value))
        if isinstance(value, AsyncThing):
            return Thing(self, value)
        if isinstance(value, list):
            return [self._thing_in(item) for item in value]
        if isinstance(value, dict):
            return {key: self._thing_in(item) for key, item in value.items()}
        return value
