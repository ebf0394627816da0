"""The tools of the door for agents: a row for each, with what it takes, what it gives, and what it does to the world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

import msgspec
from mcp_types import Tool as Offered
from mcp_types import ToolAnnotations

from cli.calls.learning import Lesson
from cli.doors.mcp import arguments, reading, writing
from cli.doors.mcp.answers import Answered, Forgotten, Sent, Waiting
from cli.doors.mcp.schemas import description_of, schema_of
from cli.doors.mcp.visit import Visit
from protocol.messages import (
    Accepted,
    Checked,
    Created,
    Defined,
    Dropped,
    Found,
    Indexed,
    Listed,
    Looked,
    Rejected,
    Reverted,
    SlotsSet,
    SourceText,
    Verdict,
    Versions,
)

Act = Callable[[Visit, Any], Awaitable[msgspec.Struct]]


class Tool(NamedTuple):
    """`reads`: it writes nothing. `destroys`: what it takes away is gone for who looks next. `names`: its references may be names.

    `for_the_user`: only a door that may install offers it.
    """

    name: str
    title: str
    takes: type[arguments.Given]
    gives: type[msgspec.Struct]
    act: Act
    reads: bool = False
    destroys: bool = False
    names: bool = True
    for_the_user: bool = False

    def offered(self) -> Offered:
        """The tool as a client lists it. Every one that writes is done once for its key, and nothing outside is touched."""
        return Offered(
            name=self.name,
            title=self.title,
            description=description_of(self.takes),
            input_schema=schema_of(self.takes),
            output_schema=schema_of(self.gives),
            annotations=ToolAnnotations(
                read_only_hint=self.reads,
                destructive_hint=self.destroys,
                idempotent_hint=self.reads or self.name == "remember",
                open_world_hint=False,
            ),
        )


TOOLS: Final = (
    Tool("objects", "List objects", arguments.Objects, Listed, reading.objects, reads=True),
    Tool("look", "Look at an object", arguments.Look, Looked, reading.look, reads=True),
    Tool("source", "Read a method", arguments.Source, SourceText, reading.source, reads=True),
    Tool("send", "Send a message", arguments.Send, Sent, writing.send),
    Tool("learn", "Have a method written", arguments.Learn, Lesson, writing.learn),
    Tool("define", "Put methods on an object", arguments.Define, Defined, writing.define),
    Tool("guard", "Judge a source", arguments.Guard, Verdict, reading.guard, reads=True),
    Tool("check", "Try all contracts", arguments.Check, Checked, reading.check, reads=True),
    Tool("proposals", "List proposals", arguments.Proposals, Waiting, reading.proposals, reads=True),
    Tool("ask", "Ask a question", arguments.Ask, Answered, writing.ask),
    Tool("remember", "Remember a text", arguments.Remember, Indexed, writing.remember, names=False),
    Tool("search", "Search what is remembered", arguments.Search, Found, reading.search, reads=True, names=False),
    Tool("history", "List versions", arguments.History, Versions, reading.history, reads=True),
    Tool("revert", "Go back to a version", arguments.Revert, Reverted, writing.revert),
    Tool("new", "Make an object", arguments.New, Created, writing.new),
    Tool("accept", "Accept a proposal", arguments.Accept, Accepted, writing.accept, for_the_user=True),
    Tool("reject", "Reject a proposal", arguments.Reject, Rejected, writing.reject, destroys=True, for_the_user=True),
    Tool("forget", "Forget a document", arguments.Forget, Forgotten, writing.forget, destroys=True, for_the_user=True),
    Tool("set", "Write slots", arguments.Set, SlotsSet, writing.set_slots, destroys=True, for_the_user=True),
    Tool("drop", "Take away", arguments.Drop, Dropped, writing.drop, destroys=True, for_the_user=True),
)


def tools_for(*, may_install: bool) -> dict[str, Tool]:
    """The tools that this door offers, by their names."""
    return {tool.name: tool for tool in TOOLS if may_install or not tool.for_the_user}
