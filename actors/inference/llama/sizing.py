"""How much of this machine llama.cpp is given: threads, tokens of context, rows at once. All of it follows from the file's header."""

from __future__ import annotations

from typing import Final, NamedTuple

from actors.inference.llama.hosted import SMALLER
from actors.inference.model import allowance
from actors.inference.model.gguf.header import GgufHeader
from actors.inference.model.room import prefix_budget
from protocol.errors import BatosError
from protocol.home import Inference

ROWS: Final = 20
"""Rows at once; of a batch with more the rest waits for these."""
_LEAST: Final = 2048
"""Tokens of context below which a method cannot be asked for."""
_MOST: Final = 32_768
"""Tokens of context for all rows together: to read more takes a processor many minutes, and memory is taken at once."""
_SHARE: Final = 4
"""One part in so many of what the weights leave is for keys and values."""
_BYTES: Final = 2
"""Of a key's or a value's number: it is kept in 16 bits."""
_STEP_BYTES: Final = 400_000_000
"""For what a step computes with; half of it was seen with a model of 0.5B."""


class Taken(NamedTuple):
    """Bytes that a file takes before anything is asked of it; `token` are those of each token that was read."""

    weights: int
    beside: int
    token: int

    @property
    def needed(self) -> int:
        return self.weights + self.beside + _LEAST * self.token


class Share(NamedTuple):
    """`context` tokens for all rows together; `longest`, those of one text with its prompt; `kept` bytes for prompts read before."""

    threads: int
    rows: int
    context: int
    longest: int
    kept: int


def taken(header: GgufHeader) -> Taken:
    """What a file with this header takes, wherever it is served."""
    return Taken(header.bytes, _STEP_BYTES, token_bytes(header))


def share(header: GgufHeader, settings: Inference) -> Share:
    """What a file with this header is given; OUT_OF_MEMORY where this machine has not enough."""
    free = allowance.memory()
    takes = taken(header)
    if takes.needed > free:
        raise BatosError(
            "OUT_OF_MEMORY",
            f"the model has {takes.weights / 1e9:.1f} GB and needs {takes.needed / 1e9:.1f} GB to be served, "
            f"and {free / 1e9:.1f} GB are free",
            SMALLER,
            needed=takes.needed,
            free=free,
        )
    return divided(header, free, settings)


def divided(header: GgufHeader, free: int, settings: Inference) -> Share:
    """What of so many free bytes a file with this header is given beside its weights."""
    takes = taken(header)
    left = max(free - takes.weights - takes.beside, 0)
    wanted = min(settings.prefix_bytes or prefix_budget(left), left)
    budget = max(wanted, left // _SHARE)
    context = max(_LEAST, min(_MOST, budget // takes.token if takes.token else _MOST) // 256 * 256)
    trained = header.number("context_length") or _LEAST
    return Share(
        threads=min(settings.threads or allowance.physical_cores(), allowance.cores()),
        rows=ROWS,
        context=context,
        longest=min(trained, context),
        kept=max(min(wanted, left - context * takes.token), 0),
    )


def token_bytes(header: GgufHeader) -> int:
    """Bytes of the keys and values of one token in all layers."""
    heads = header.number("attention.head_count", 1)
    width = header.number("embedding_length") // max(heads, 1)
    keys, values = (header.number(f"attention.{what}_length", width) for what in ("key", "value"))
    return header.number("block_count", 1) * header.number("attention.head_count_kv", heads) * (keys + values) * _BYTES
