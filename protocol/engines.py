"""Which of the engines generates: what the configuration names, or what fits the model and this machine.

The actor that generates and the command that explains ask the same function, so that neither says what the other does not do.
Nothing is loaded for it: not the model, of which four bytes are read, and none of the libraries.
"""

from __future__ import annotations

from importlib import metadata, util
from pathlib import Path
from typing import Final, Literal, NamedTuple

from protocol.errors import BatosError
from protocol.home import Inference

EXTRA: Final = "xllamacpp"
"""The package that brings llama.cpp."""
INSTALL: Final = "pip install 'batos[llama]'"

_MAGIC: Final = b"GGUF"
_DEVICES: Final = Path("/dev")
_NO_GGUF: Final = "Point `model` under [inference] in batos.toml at a GGUF file, or set engine to auto."


class Choice(NamedTuple):
    """The engine, why it is that one, and what would be faster here; `faster` is empty where nothing is known to be."""

    engine: Literal["local", "llama", "openai"]
    why: str
    faster: str = ""


def choose(settings: Inference, root: Path) -> Choice:
    """The engine for these settings of the home at `root`; BAD_CONFIG where `llama` is named and cannot be."""
    if settings.engine == "openai":
        return Choice("openai", "configured")
    path = gguf_file(settings, root)
    cuda = has_cuda(settings)
    if settings.engine == "llama":
        _check_llama(settings, path)
        return Choice("llama", "configured")
    if path is None:
        why = "the embedded default" if not settings.model else "the model is no GGUF file"
        return _local(settings, why)
    if cuda:
        return _local(settings, "there is a CUDA device")
    if settings.quantization != "none":
        return _local(settings, f"quantization is {settings.quantization}, which the local engine alone knows")
    if not has_llama():
        return _local(settings, f"{EXTRA} is not installed", f"{INSTALL} decodes this file about 4 times as fast")
    if settings.engine == "local":
        return _local(settings, "", f'engine = "llama" under [inference] decodes {path.name} about 4 times as fast')
    return Choice("llama", f"{path.name} is a GGUF file, {EXTRA} is installed, and there is no CUDA device")


def gguf_file(settings: Inference, root: Path) -> Path | None:
    """The configured model where it is a GGUF file, as the actors find it: from the home."""
    if not settings.model:
        return None
    path = root / Path(settings.model).expanduser()
    try:
        with path.open("rb") as file:
            return path if file.read(len(_MAGIC)) == _MAGIC else None
    except OSError:
        return None


def has_llama() -> bool:
    """Whether the extra is installed."""
    return util.find_spec(EXTRA) is not None


def has_cuda(settings: Inference, devices: Path = _DEVICES) -> bool:
    """Whether the local engine would compute on a CUDA device: there is one, and torch is no build for processors alone."""
    if settings.device == "cpu" or not any(devices.glob("nvidia[0-9]*")):
        return False
    try:
        return "+cpu" not in metadata.version("torch")
    except metadata.PackageNotFoundError:
        return False


def _local(settings: Inference, why: str, faster: str = "") -> Choice:
    return Choice("local", "configured" if settings.engine == "local" else why, faster)


def _check_llama(settings: Inference, path: Path | None) -> None:
    named = "inference.engine is llama"
    if path is None:
        what = repr(settings.model) if settings.model else "the embedded default"
        raise BatosError("BAD_CONFIG", f"{named}, and {what} is no GGUF file", _NO_GGUF)
    if settings.device == "cuda":
        hint = 'Set engine = "local" for the CUDA device, or device = "cpu".'
        raise BatosError("BAD_CONFIG", f"{named}, which computes on the processor, and inference.device is cuda", hint)
    if settings.quantization != "none":
        hint = 'Remove quantization: a GGUF file has its own; or set engine = "local".'
        raise BatosError("BAD_CONFIG", f"{named}, and inference.quantization is {settings.quantization}", hint)
    if not has_llama():
        raise BatosError("BAD_CONFIG", f"{named}, and {EXTRA} is not installed", f"{INSTALL}, or set engine to auto.")
