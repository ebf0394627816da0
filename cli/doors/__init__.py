"""Doors for others than a person at a terminal: `mcp/` for agents, `http/` for what speaks OpenAI's dialect, and who is let in."""
