"""The objects of a `World`, the messages to them, and what happens on the way."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from batos.values import Referring
from protocol import names
from protocol.codec import Ref

if TYPE_CHECKING:
    from batos.replies import Lesson, Reply
    from batos.streams import AsyncStream
    from batos.things import AsyncThing
    from batos.world import World
    from protocol.messages import Checked, Defined, Dropped, Event, Looked, MethodVersion, Renamed, Reverted, SlotsSet

T = TypeVar("T")


class Stream(Generic[T]):
    """What happens on the way to an answer: `for event in stream`, then `stream.reply()`. `close` leaves the mandate to go on."""

    def __init__(self, world: World, begin: Any) -> None:
        async def begun() -> AsyncStream[T]:
            stream: AsyncStream[T] = begin()
            return stream

        self._world = world
        self._stream = world._run(begun())

    def __iter__(self) -> Iterator[Event]:
        while (event := self._world._run(self._next())) is not None:
            yield event

    def reply(self) -> T:
        """The answer; raises what ended it badly."""
        reply = self._world._run(self._stream.reply())
        return self._world._things(reply) if hasattr(reply, "result") else reply

    def close(self) -> None:
        """Listen no more; the mandate goes on."""
        self._world._run(self._stream.close())

    async def _next(self) -> Event | None:
        return await anext(self._stream, None)


class Thing(Referring):
    """An object of the world.

    `box.area_(…)` sends the message with the method's own arguments; `box.send("area_", …, intent=…)` has the words that say how.
    `box.width` reads a slot, its own or its parents', `box.width = 3` writes it, `del box.width` takes it away. Slots that are
    called like something of this class are read and written as `box["send"]`.
    """

    _world: World
    _thing: AsyncThing

    def __init__(self, world: World, thing: AsyncThing) -> None:
        object.__setattr__(self, "_world", world)
        object.__setattr__(self, "_thing", thing)

    @property
    def ref(self) -> Ref:
        """The reference that travels."""
        return self._thing.ref

    # Messages -------------------------------------------------------------------------------------------------

    def send(self, selector: str, /, *args: Any, **control: Any) -> Reply:
        """`World.send` to this object."""
        return self._world.send(self, selector, *args, **control)

    def stream(self, selector: str, /, *args: Any, **control: Any) -> Stream[Reply]:
        """`World.stream` to this object."""
        return self._world.stream(self, selector, *args, **control)

    def learn(self, selector: str, /, **control: Any) -> Lesson:
        """`World.learn` for this object."""
        return self._world.learn(self, selector, **control)

    def define(self, source: str, **control: Any) -> Defined:
        """`World.define` on this object."""
        return self._world.define(self, source, **control)

    def history(self, selector: str | None = None) -> list[MethodVersion]:
        """`World.history` of this object."""
        return self._world.history(self, selector)

    def revert(self, selector: str, to: str | None = None, **control: Any) -> Reverted:
        """`World.revert` on this object."""
        return self._world.revert(self, selector, to, **control)

    def check(self) -> Checked:
        """`World.check` of this object's own methods."""
        return self._world.check(self)

    # Slots ----------------------------------------------------------------------------------------------------

    def look(self) -> Looked:
        """The first page of the object: its own slots, its methods, its parents."""
        return self._run(self._thing.look())

    def slots(self) -> dict[str, Any]:
        """Its own slots, as they are now."""
        found: dict[str, Any] = self._world._thing_in(self._run(self._thing.slots()))
        return found

    def set(self, slots: Mapping[str, Any] | None = None, /, *, key: str | None = None, **more: Any) -> SlotsSet:
        """Write several own slots in one transaction."""
        return self._run(self._thing.set(slots, key=key, **more))

    def drop(self, entry: str | None = None, *, force: bool = False) -> Dropped:
        """Take an own slot or method away, or the object where none is named. IN_USE where something stands on it."""
        return self._run(self._thing.drop(entry, force=force))

    def rename(self, to: str) -> Renamed:
        """Give it another name."""
        return self._run(self._thing.rename(to))

    def __getitem__(self, slot: str) -> Any:
        try:
            return self._world._thing_in(self._run(self._thing.get(_slot(slot))))
        except AttributeError as error:
            raise KeyError(str(error)) from None

    def __setitem__(self, slot: str, value: Any) -> None:
        self._run(self._thing.set({_slot(slot): value}))

    def __delitem__(self, slot: str) -> None:
        self.drop(_slot(slot))

    def __contains__(self, slot: object) -> bool:
        try:
            self[str(slot)]
        except KeyError:
            return False
        return True

    __iter__ = None
    """Python would otherwise ask for the slots 0, 1, 2 …"""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what Python and notebooks look for
            raise AttributeError(name)
        if names.is_selector(name):
            return Message(self, name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._check_free(name, f"thing[{name!r}] = …")
        self[name] = value

    def __delattr__(self, name: str) -> None:
        self._check_free(name, f"del thing[{name!r}]")
        del self[name]

    def _check_free(self, name: str, instead: str) -> None:
        if name.startswith("_") or hasattr(type(self), name):
            raise AttributeError(f"{name} is a word of the client's own; the slot of that name is written as {instead}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing) and other._thing == self._thing

    def __hash__(self) -> int:
        return hash(self._thing)

    def __dir__(self) -> list[str]:
        looked = self.look()
        return sorted({*super().__dir__(), *looked.methods, *(slot for slot in looked.slots if slot.isidentifier())})

    def __str__(self) -> str:
        return str(self._thing)

    def __repr__(self) -> str:
        return repr(self._thing)

    def _repr_html_(self) -> str:
        from batos.replies import table  # noqa: PLC0415

        looked = self.look()
        shown = {(f"[{slot!r}]" if hasattr(type(self), slot) else slot): value for slot, value in looked.slots.items()}
        methods = ", ".join(looked.methods)
        return f"<b>{escape(looked.name or looked.oid)}</b>" + table(
            {**shown, **({"methods": methods} if methods else {})}
        )

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._world._run(work)


class Message:
    """A message that was named and not sent: call it with the method's own arguments."""

    __slots__ = ("_selector", "_thing")

    def __init__(self, thing: Thing, selector: str) -> None:
        self._thing = thing
        self._selector = selector

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from batos.things import result_of  # noqa: PLC0415

        return result_of(self._thing.send(self._selector, *args, kwargs=kwargs), str(self._thing), self._selector)

    def __repr__(self) -> str:
        return f"<message {self._selector} to {self._thing!r}>"


def _slot(slot: object) -> str:
    if not isinstance(slot, str):
        raise TypeError(f"a slot has a name: box['width'], not box[{slot!r}]")
    return slot


def of(target: str | Thing) -> Any:
    """What the world beneath takes."""
    return target._thing if isinstance(target, Thing) else target
