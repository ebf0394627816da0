"""The MCP server: which tools and resources there are, and one call of a tool from its arguments to its answer.

Each client is an origin of its own, by the name that it gives itself when it connects. Failures are told as results that are
errors, since an agent can mend what it reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import json
import time
from collections.abc import Callable
from typing import Any, Final

import anyio
import structlog
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    TextContent,
)

from batos.line import Line
from cli.doors.mcp import resources
from cli.doors.mcp.failures import as_protocol_error, failed
from cli.doors.mcp.offered import TOOLS, Tool, tools_for
from cli.doors.mcp.schemas import read_arguments, told
from cli.doors.mcp.stdio import Cancelled
from cli.doors.mcp.visit import Visit
from cli.render import thought as render_thought
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Event
from protocol.origin import MAX_NAME, Origin, Right

AT_ONCE: Final = 128
"""Calls under way; one more is told so."""
_PIECES_S: Final = 0.5
"""Seconds between two notifications that only say that a text grows."""
_INSTRUCTIONS: Final = """A world of persistent objects that write their own missing methods, each behind a deterministic gate.

Look around with `objects` and `look`. `send` sends a message; one that the object does not understand is learned from the examples
that you give. `define` puts a method of your own there; `guard` says beforehand whether it keeps to the rules. Whatever is answered
with a `proposal` does not stand as yet: it waits for the user of this world, who alone accepts it. Every version stays, and `revert`
goes back to one. `remember` a text, and `search` or `ask`. Examples are contracts: `check` tries them all. Values are JSON, in which
{"$ref": "box"} is the object called box."""

_log = structlog.get_logger("mcp")

Context = ServerRequestContext[Any, Any]


class Door:
    """One server for one process of a client; `name` stands in place of what the client calls itself."""

    def __init__(self, home: Home, *, name: str | None = None, may_install: bool = False) -> None:
        self.cancelled = Cancelled()
        self._home = home
        self._name = name
        self._rights: list[Right] = ["ask", "send", "propose", *(["install"] if may_install else [])]  # type: ignore[list-item]
        self._tools = tools_for(may_install=may_install)
        self._offered = [tool.offered() for tool in self._tools.values()]
        self._lines: dict[str, Line] = {}
        self._under_way = 0

    def server(self, version: str) -> Server[Any]:
        return Server(
            "batos",
            version=version,
            title="BAT OS",
            instructions=_INSTRUCTIONS,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
        )

    async def close(self) -> None:
        for line in self._lines.values():
            await line.close()

    def line(self, context: Context) -> Line:
        """The line of the client that asks."""
        params = context.session.client_params
        name = self._name or _named(params.client_info.name if params is not None else "")
        if name not in self._lines:
            origin = Origin(kind="mcp", name=name, login=getpass.getuser()[:MAX_NAME], rights=self._rights)
            self._lines[name] = Line(self._home, origin)
        return self._lines[name]

    async def _list_tools(self, _context: Context, _params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=self._offered)

    async def _list_templates(
        self, _context: Context, _params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        return ListResourceTemplatesResult(resource_templates=list(resources.TEMPLATES))

    async def _list_resources(self, context: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
        with as_protocol_error(self._tools.keys()):
            return await resources.listed(self.line(context), params.cursor if params is not None else None)

    async def _read_resource(self, context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        with as_protocol_error(self._tools.keys()):
            return await resources.read(self.line(context), str(params.uri))

    async def _call_tool(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        self._under_way += 1
        try:
            if self._under_way > AT_ONCE:
                raise BatosError("BUSY", f"{AT_ONCE} calls are under way", "Wait until one has ended.")  # noqa: TRY301
            return await self._called(context, self._found(params.name), params.arguments or {})
        except BatosError as error:
            return failed(error, self._tools.keys())
        except MCPError:
            raise
        except Exception as error:  # noqa: BLE001 - a bug is told too, and its traceback is on standard error
            _log.exception("a tool failed", tool=params.name)
            found = BatosError("INTERNAL", f"{type(error).__name__}: {error}", "This is a bug.")
            return failed(found, self._tools.keys())
        finally:
            self._under_way -= 1

    def _found(self, name: str) -> Tool:
        tool = self._tools.get(name)
        if tool is not None:
            return tool
        if any(each.name == name for each in TOOLS):
            raise BatosError(
                "NOT_ALLOWED",
                f"{name} is for the user of this world, and this door does not offer it",
                "Ask them to do it; or they start this door with `batos mcp --allow install`.",
            )
        raise MCPError(INVALID_PARAMS, f"there is no tool {name[:100]!r}; there are {', '.join(self._tools)}")

    async def _called(self, context: Context, tool: Tool, arguments: dict[str, Any]) -> CallToolResult:
        given = read_arguments(arguments, tool.takes, by_name=tool.names)
        progress = Progress(context.session.report_progress)
        visit = Visit(self.line(context), progress.tell, progress.event)
        try:
            found = await tool.act(visit, given)
        except asyncio.CancelledError:
            progress.stop()
            # The request is not answered any more, but what it has set going must hear of it.
            with anyio.CancelScope(shield=True):
                await visit.ends(is_cancelled=context.request_id in self.cancelled)
            raise
        finally:
            await progress.ends()
        answer = told(found, self._home)
        return CallToolResult(
            content=[TextContent(text=json.dumps(answer, ensure_ascii=False))], structured_content=answer
        )


class Progress:
    """What a client hears meanwhile, by notifications that are sent one after the other."""

    def __init__(self, report: Callable[[float, float | None, str | None], Any]) -> None:
        self._report = report
        self._follower = render_thought.Follower(lambda _: None)
        self._queue: asyncio.Queue[tuple[float, float | None, str] | None] = asyncio.Queue()
        self._number = 0.0
        self._piece_at = 0.0
        self._task = asyncio.create_task(self._send())

    def tell(self, text: str, done: float | None = None, total: float | None = None) -> None:
        """`done` of `total`, or the next step of so many as come. The number always grows, as the protocol asks for."""
        self._number = self._number + 1 if done is None else max(self._number, done)
        self._queue.put_nowait((self._number, total, text))

    def event(self, found: Event) -> None:
        """An event of a mandate, if it is worth a line; that a text grows is told now and then."""
        line = self._follower.tell(found).strip()
        if found.event == "piece" and time.monotonic() - self._piece_at > _PIECES_S:
            self._piece_at = time.monotonic()
            line = "writes"
        if line:
            self.tell(line)

    async def ends(self) -> None:
        """Wait until all of it is sent."""
        self._queue.put_nowait(None)
        await asyncio.wait({self._task})

    def stop(self) -> None:
        """Send no more: a client that reads nothing would keep whoever waits here."""
        self._task.cancel()

    async def _send(self) -> None:
        while (told := await self._queue.get()) is not None:
            # A client that has gone hears nothing, and what it has asked goes its own way.
            with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, MCPError):
                await self._report(*told)


def _named(name: str) -> str:
    """What a client calls itself, as far as it can be shown."""
    shown = "".join(letter if letter.isprintable() else " " for letter in name)[:MAX_NAME].strip()
    return shown or "unnamed"
