"""How a row is asked for, in the words of the server that it is asked of.

What a row says of itself is its form, its seed, how it is drawn and how long it may be. Servers have defaults beside that, which
would bend the distribution that temperature and nucleus mean; where the fields for them are known they are said outright.
"""

from __future__ import annotations

from typing import Any, Final

from actors.inference.decoding.sampling import COLD
from protocol.messages import Abilities, Row

COMPLETIONS: Final = "/v1/completions"
CHAT: Final = "/v1/chat/completions"
LLGUIDANCE: Final = "%llguidance {}\n"
"""llama.cpp reads its own notation of grammars, unless the first line says that llguidance is to read it."""

_COMPACT: Final = {"x-guidance": {"whitespace_flexible": False}}
"""Between two tokens of JSON a small model may otherwise write blanks until its budget is spent."""

_PLAIN: Final[dict[str, dict[str, Any]]] = {
    "llama.cpp": {
        "samplers": ["min_p", "temperature", "top_p"],
        "min_p": 1e-5,
        "mirostat": 0,
        "cache_prompt": True,
    },
    "vLLM": {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0},
}
"""By the server's name, what leaves its tokens to temperature and nucleus alone.

llama.cpp draws by the samplers that are named, in that order, and by no other. With a vocabulary of 152,000 tokens a sixth of the
time of eight rows went into those that are less likely than the likeliest by a factor of 100,000: they are left out.
"""


def body(row: Row, abilities: Abilities, *, tokens: int) -> dict[str, Any]:
    """The row as a request for one text of at most `tokens`, without its prompt and without whose text it is."""
    return {
        "max_tokens": tokens,
        "temperature": row.sampling.temperature if row.sampling.temperature >= COLD else 0.0,
        "top_p": row.sampling.top_p,
        "seed": row.seed % 2**63,
        "stream": True,
        "stream_options": {"include_usage": True},
        **_PLAIN.get(abilities.engine, {}),
        **form(abilities, row.schema, row.grammar),
    }


def form(abilities: Abilities, schema: dict[str, Any] | None, grammar: str | None) -> dict[str, Any]:
    """The fields that bind a text to its form; none where the server has none, and the text is only checked."""
    if schema is not None:
        match abilities.schema:
            case "response_format":
                strict = {"name": "form", "schema": schema, "strict": True}
                return {"response_format": {"type": "json_schema", "json_schema": strict}}
            case "json_schema":
                return {"json_schema": {**schema, **_COMPACT}}
    if grammar is not None:
        match abilities.grammar:
            case "structured_outputs":
                return {"structured_outputs": {"grammar": grammar}}
            case "grammar":
                return {"grammar": LLGUIDANCE + grammar}
    return {}


def likelihood(path: str) -> dict[str, Any]:
    """The field that asks how likely each token was."""
    return {"logprobs": True} if path == CHAT else {"logprobs": 1}
