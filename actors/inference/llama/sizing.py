"""How much of this machine llama.cpp is given: threads, tokens of context, rows at once. All of it follows from the file's head."""

from __future__ import annotations

from typing import Final, NamedTuple

from gguf import LlamaFileType

from actors.inference.llama.header import Header
from actors.inference.llama.hosted import SMALLER
from actors.inference.model import allowance
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


class Share(NamedTuple):
    """`context` tokens for all rows together; `longest`, those of one text with its prompt; `kept_mib` for prompts read before."""

    threads: int
    rows: int
    context: int
    longest: int
    kept_mib: int


def share(head: Header, weights: int, settings: Inference) -> Share:
    """What a file with this head, and so many bytes, is given; OUT_OF_MEMORY where this machine has not enough."""
    free = allowance.memory()
    each = token_bytes(head)
    needed = weights + _STEP_BYTES + _LEAST * each
    if needed > free:
        raise BatosError(
            "OUT_OF_MEMORY",
            f"the model has {weights / 1e9:.1f} GB and needs {needed / 1e9:.1f} GB to be served, and {free / 1e9:.1f} GB are free",
            SMALLER,
            needed=needed,
            free=free,
        )
    trained = head.number("context_length") or _LEAST
    budget = max(settings.prefix_bytes, (free - weights - _STEP_BYTES) // _SHARE)
    context = max(_LEAST, min(_MOST, budget // each if each else _MOST) // 256 * 256)
    return Share(
        threads=min(settings.threads or allowance.physical_cores(), allowance.cores()),
        rows=ROWS,
        context=context,
        longest=min(trained, context),
        kept_mib=(settings.prefix_bytes or prefix_budget(max(free - weights, 0))) >> 20,
    )


def token_bytes(head: Header) -> int:
    """Bytes of the keys and values of one token in all layers."""
    heads = head.number("attention.head_count", 1)
    width = head.number("embedding_length") // max(heads, 1)
    keys, values = (head.number(f"attention.{what}_length", width) for what in ("key", "value"))
    return head.number("block_count", 1) * head.number("attention.head_count_kv", heads) * (keys + values) * _BYTES


def quantization(head: Header) -> str:
    """How most of the weights are written, such as `Q4_K_M`, by the file's own word."""
    try:
        name = LlamaFileType(int(head.facts.get("general.file_type", -1))).name
    except (TypeError, ValueError):
        return "GGUF"
    return name.removeprefix("MOSTLY_").removeprefix("ALL_")
