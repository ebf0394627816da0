"""The device: where the weights of a model go, and what happens when there is no room.

The only place that knows about kinds of devices. A quantization, and a model that does not fit, are more arguments of the
same loader: what is over the device's limit stays in main memory, what is over that one's on the disk, and
accelerate brings it in layer by layer. So a processor with a limit walks the same way as a small graphics card.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any, Final

import torch
from transformers import BitsAndBytesConfig

from actors.inference.model import allowance, kernels
from protocol.errors import BatosError

QUANTIZATIONS: Final = ("none", "nf4")
_DTYPES: Final = {
    "auto": torch.bfloat16,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "float32": torch.float32,
}
_SHARE: Final = 0.75
"""Of what is free on a device, for weights; the rest is for experts, keys and values, and what a step needs."""
_NO_ROOM: Final = "can't allocate memory"
"""How a processor's allocator says it, in a plain RuntimeError."""


def dtype_of(name: str) -> torch.dtype:
    """The type that `inference.dtype` names, in which weights and experts are kept; BAD_CONFIG for none."""
    try:
        return _DTYPES[name]
    except KeyError:
        raise BatosError("BAD_CONFIG", f"inference.dtype is {name!r}", f"Choose one of {', '.join(_DTYPES)}.") from None


def placement(
    device: str,
    dtype: str,
    *,
    quantization: str,
    device_bytes: int,
    memory_bytes: int,
    folder: Path | None,
    weights: int = 0,
) -> dict[str, Any]:
    """The arguments of `from_pretrained` that say where the weights go and in which form; BAD_CONFIG.

    The limits are for weights alone; 0 is what is there. `folder` is where weights may lie that fit into no memory, `weights`
    the bytes of those that are loaded, in the type in which they are kept.
    """
    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    if chosen not in ("cpu", "cuda"):
        raise BatosError("BAD_CONFIG", f"inference.device is {device!r}", "Choose auto, cpu or cuda.")
    if chosen == "cuda" and not torch.cuda.is_available():
        raise BatosError("BAD_CONFIG", "inference.device is cuda, and torch sees no such device", "Choose auto or cpu.")
    if quantization not in QUANTIZATIONS:
        choices = ", ".join(QUANTIZATIONS)
        raise BatosError("BAD_CONFIG", f"inference.quantization is {quantization!r}", f"Choose one of {choices}.")
    kept = dtype_of(dtype)
    arguments: dict[str, Any] = {"dtype": kept}
    if dtype == "auto" and chosen == "cpu" and quantization == "none":
        room = min(filter(None, (device_bytes, memory_bytes, int(allowance.memory() * _SHARE))), default=0)
        fits = weights * torch.float32.itemsize // kept.itemsize <= room
        arguments["dtype"] = kernels.faster(kept) if fits else kept
    if quantization == "nf4":
        arguments["device_map"] = chosen
        arguments["quantization_config"] = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=kept
        )
    limits: dict[int | str, int] = {}
    if chosen == "cuda":
        limits[0] = device_bytes or int(torch.cuda.mem_get_info()[0] * _SHARE)
        limits["cpu"] = memory_bytes or allowance.memory()
    elif device_bytes or memory_bytes:
        limits["cpu"] = min(filter(None, (device_bytes, memory_bytes)))
    if limits:
        arguments.update(device_map="auto", max_memory=limits, offload_folder=str(folder))
    return arguments


def limit_threads(wanted: int) -> None:
    """Compute with `wanted` threads, 0: as many as torch likes; but never with more than there are cores for us."""
    torch.set_num_threads(min(wanted or torch.get_num_threads(), allowance.cores()))


def where_it_runs(module: Any) -> torch.device:
    """The device on which a linear computes, wherever its weights lie until then."""
    brought = getattr(getattr(module, "_hf_hook", None), "execution_device", None)
    return module.weight.device if brought is None else torch.device(brought)


def is_full(error: BaseException) -> bool:
    """Whether this says that there was no room in some memory."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or _NO_ROOM in str(error)


def no_room(error: BaseException, what: str) -> BatosError:
    """The failure that `error` is for who asked, once everything is freed that was made for it."""
    why = next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
    # The frames that it went through still hold their tensors.
    traceback.clear_frames(error.__traceback__)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return BatosError(
        "OUT_OF_MEMORY",
        f"there is not enough memory for {what}: {why}",
        'Ask for fewer rows or shorter texts; or, in batos.toml under [inference], set quantization = "nf4", fewer slots, '
        "or device_bytes, over which weights stay in main memory.",
    )
