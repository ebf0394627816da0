"""What of the memory that is free a running model may keep, and what it may not begin.

Weights are there for good. Beside them prompts that were read are kept, for as long as nobody needs the room, and each batch
takes keys and values for as long as it runs. Who would not fit is told so before anything is taken: an allocation that fails
half-way costs everybody, and where memory is overcommitted it fails by a signal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actors.inference.model import allowance
from protocol.errors import BatosError

if TYPE_CHECKING:
    import torch

_PARTS: Final = 8
"""One part in so many of what is free is for prompts that were read."""
_MOST: Final = 2_000_000_000
_LEAST: Final = 16_000_000
_SPARED: Final = 10
"""One part in so many of what is free stays so: a step computes with something too."""


def free(device: torch.device | str = "cpu") -> int:
    """Bytes that are free on the device now; on a processor within the limit of our control group."""
    import torch  # noqa: PLC0415 - seconds of import, and who shares out memory for llama.cpp needs none of it

    if torch.device(device).type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return allowance.memory()


def prefix_budget(left: int) -> int:
    """Bytes for prompts that were read, of so many that are free once the weights are there."""
    return max(_LEAST, min(_MOST, left // _PARTS))


def check(needed: int, left: int, what: str, hint: str) -> None:
    """OUT_OF_MEMORY where `what` needs more bytes than are left."""
    if needed > left:
        raise BatosError(
            "OUT_OF_MEMORY",
            f"{what} needs {size(needed)}, and {size(left)} are free",
            hint,
            needed=needed,
            free=left,
        )


def spared(left: int) -> int:
    """What of the bytes that are left a batch may take."""
    return left - left // _SPARED


def size(count: int) -> str:
    """Bytes as a person reads them."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
