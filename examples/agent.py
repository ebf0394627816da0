"""An agent that improves its own tools through the MCP door, and is refused once.

Its tools are methods of an object that it makes, and what it writes stands only when the user has accepted it. Run it beside a
system that is up: `python examples/agent.py [COMMAND]`, where COMMAND starts `batos` if that is not on the PATH. It needs the package `mcp`, and no model of its own: what it wants is written down
here, where an agent of yours would think.
"""

from __future__ import annotations

import asyncio
import os
import sys

from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

NAME = f"tools_{os.getpid()}"
WANTED = [
    # A tool that would forget what it changes: the guardian refuses it, and the agent reads why.
    ("count_", "def count_(self, by):\n    self.total = self.total + by\n    return self.total"),
    (
        "count_",
        "def count_(self, by):\n    self.total = self.total + by\n    self._p_changed = True\n    return self.total",
    ),
]


async def improve(client: Client) -> None:
    """Make the object, write its tool until the guardian is content, and propose it."""
    await client.call_tool("new", {"name": NAME, "slots": {"total": 1}})
    for selector, source in WANTED:
        verdict = (await client.call_tool("guard", {"source": source})).structured_content
        if verdict["verdict"] == "reject":
            print(f"refused: {verdict['violations'][0]['rule']} {verdict['violations'][0]['message']}")
            continue
        defined = await client.call_tool("define", {"name": NAME, "source": source})
        print(f"proposed: {selector}" if not defined.is_error else defined.content[0].text)
    waiting = (await client.call_tool("proposals", {})).structured_content["proposals"]
    for proposal in (one for one in waiting if one["name"] == NAME):
        print(f"waits for its user: batos accept {proposal['id']}")
    accepted = await client.call_tool("accept", {"id": waiting[-1]["id"] if waiting else "none"})
    print(f"and may not accept it itself: {accepted.content[0].text.splitlines()[0]}")


async def main() -> None:
    command, *words = sys.argv[1:] or ["batos"]
    door = StdioServerParameters(command=command, args=[*words, "mcp"], env=dict(os.environ))
    async with Client(door) as client:
        await improve(client)


if __name__ == "__main__":
    asyncio.run(main())
