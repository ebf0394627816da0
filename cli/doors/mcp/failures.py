"""Failures as an agent reads them: with the facts of the case, and with the tools of this door where a next step names commands."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any, Final

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolResult, TextContent

from cli.console import failure_shape
from cli.doors.mcp.offered import TOOLS
from cli.values import line as json_line
from cli.values import to_json
from protocol.errors import BatosError

_SHOWN: Final = 4000
"""Characters of an error's facts in its text."""
_NAMED: Final = re.compile(r"`batos (?:--home \S+ )?(?P<command>[a-z]+)\b[^`]*`|(?<![\w-])--(?P<option>[a-z-]+[a-z])")
_CALLED_OTHERWISE: Final = {"ls": "objects", "example": "examples", "id": "doc_id", "timeout": "seconds"}
"""Commands and options whose tools and arguments have another name."""
_ARGUMENTS: Final = frozenset(name for tool in TOOLS for name in tool.takes.__struct_fields__)


def failed(error: BatosError, tools: AbstractSet[str]) -> CallToolResult:
    """The failure as a result: code, what happened, the next step for an agent that has these tools, and the facts of the case."""
    shape = _shape(error, tools)
    told = shape["error"]
    facts = {key: value for key, value in told.items() if key not in {"code", "message", "hint"}}
    lines = [f"{error.code}: {error.message}", told["hint"], json_line(facts)[:_SHOWN] if facts else ""]
    text = "\n".join(line for line in lines if line)
    return CallToolResult(content=[TextContent(text=text)], structured_content=shape, is_error=True)


@contextlib.contextmanager
def as_protocol_error(tools: AbstractSet[str]) -> Iterator[None]:
    """A resource has no result that is an error: the protocol's own carries code and next step."""
    try:
        yield
    except BatosError as error:
        raise MCPError(INVALID_PARAMS, f"{error.code}: {error.message}", _shape(error, tools)["error"]) from error


def step(hint: str, tools: AbstractSet[str]) -> str:
    """A next step that is written for the command, for an agent: it has no terminal, but these tools.

    What is no tool of its door stays as it is: that is for the user.
    """

    def here(found: re.Match[str]) -> str:
        command, option = found.group("command", "option")
        name = (command or option).replace("-", "_")
        name = _CALLED_OTHERWISE.get(name, name)
        if command is not None:
            return f"the tool `{name}`" if name in tools else found[0]
        return f"`{name}`" if name in _ARGUMENTS else found[0]

    return _NAMED.sub(here, hint)


def _shape(error: BatosError, tools: AbstractSet[str]) -> dict[str, Any]:
    shape: dict[str, Any] = to_json(failure_shape(error))
    shape["error"]["hint"] = step(error.hint, tools)
    return shape
