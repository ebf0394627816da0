"""Where a model comes from: what the configuration names, and what can be refused by looking at its files.

A folder is looked at before a library reads it: what a reader would meet with an error that says less, would take for
something else, or would ask a person about, is refused here by name.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import transformers
from safetensors import SafetensorError, safe_open
from transformers import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from actors.inference.model.device import dtype_of
from actors.inference.model.embedded import embedded_file
from protocol.errors import BatosError

HINT: Final = "Point `model` under [inference] in batos.toml at a Hugging Face folder or a GGUF file."
AGAIN: Final = "Download the folder again, or name another one: `model` under [inference] in batos.toml."
WIDE: Final = (
    'Give the model in 16 or 32 bits; `quantization = "nf4"` under [inference] in batos.toml loads it in four.'
)

_INDICES: Final = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_OBJECTS: Final = ("config.json", "generation_config.json", "tokenizer_config.json", "tokenizer.json")
"""What has to be a JSON object where it is there: some readers go on without what they cannot read."""
_NUMBERS: Final = frozenset({"F64", "F32", "F16", "BF16"})
"""Types of weights, as safetensors calls them, that need no scale beside them."""
_POINTER: Final = b"version https://git-lfs"
_TOKENIZERS: Final = ("tokenizer.json", "tokenizer.model", "vocab.json")


class ModelSource(NamedTuple):
    """A configured model: where it lies, and a name that changes whenever what would be converted changes."""

    path: Path
    name: str


def find(model: str, dtype: str = "auto") -> ModelSource:
    """The model that the configuration names; BAD_MODEL where there is none."""
    kind = dtype_of(dtype)
    if not model:
        path, name = embedded_file()
    else:
        with _looking(Path(model)):
            path = Path(model).expanduser().absolute()
            if not path.exists():
                raise BatosError("BAD_MODEL", f"there is no model at {path}", HINT)
            files = sorted(path.iterdir()) if path.is_dir() else [path]
            stamps = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.is_file()]
        name = f"{path} {hashlib.sha256(repr(stamps).encode()).hexdigest()[:16]}"
    return ModelSource(path, f"{name} {str(kind).removeprefix('torch.')}")


def check_files(path: Path) -> None:
    """BAD_MODEL for a file or a folder of which its look already says that it cannot be read as a model."""
    with _looking(path):
        if not path.exists():
            raise BatosError("BAD_MODEL", f"there is no model at {path}", HINT)
        if path.is_dir():
            _check_folder(path)
        else:
            with path.open("rb") as file:
                if file.read(4) != b"GGUF":
                    raise BatosError("BAD_MODEL", f"{path} is no GGUF file", HINT)


def _check_folder(path: Path) -> None:
    if (path / "adapter_config.json").exists():
        raise BatosError(
            "BAD_MODEL",
            f"{path} has an adapter_config.json: it is an adapter, or an adapter was saved into a model's folder",
            "Import an adapter with `batos expert import PATH NAME`; a model's folder must not hold one.",
        )
    if not (path / "config.json").is_file():
        raise BatosError("BAD_MODEL", f"{path} has no config.json", HINT)
    if not any((path / name).is_file() for name in _TOKENIZERS):
        raise BatosError("BAD_MODEL", f"{path} has no tokenizer ({', '.join(_TOKENIZERS)})", HINT)
    read = {name: _json(path / name) for name in _OBJECTS if (path / name).is_file()}
    for name, value in read.items():
        if not isinstance(value, dict):
            raise BatosError("BAD_MODEL", f"{path / name} cannot be read: it is no JSON object", AGAIN)
    _check_config(path / "config.json", read["config.json"])
    for name in _INDICES:
        if (path / name).is_file():
            _check_shards(path, path / name)
    for shard in sorted(path.glob("*.safetensors")):
        _check_whole(shard)


def _check_config(path: Path, config: dict[str, Any]) -> None:
    """Of a kind that is known here and goes from left to right, and in numbers that are not quantized."""
    text = config.get("text_config")
    quantized = config.get("quantization_config") or (isinstance(text, dict) and text.get("quantization_config"))
    if quantized:
        method = quantized.get("quant_method", "unknown") if isinstance(quantized, dict) else quantized
        raise BatosError(
            "BAD_MODEL",
            f"{path} says that the weights are quantized already ({str(method)[:60]})",
            WIDE,
        )
    kind = config.get("model_type")
    if isinstance(kind, str) and kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        return
    if kind is None:
        why = "names no model_type"
    elif isinstance(kind, str) and kind in CONFIG_MAPPING:
        why = f"names a {kind} model, which is no plain language model: AutoModelForCausalLM has none of that name"
    elif config.get("auto_map"):
        why = f"names a {str(kind)[:60]} model, which needs the code in its folder; such code is not run here"
    else:
        why = f"names a {str(kind)[:60]} model, which transformers {transformers.__version__} does not know"
    raise BatosError("BAD_MODEL", f"{path} {why}", HINT)


def _check_whole(shard: Path) -> None:
    """Weights whose file has the length that its header says, as numbers that mean what they are; a reader names no file."""
    with shard.open("rb") as file:
        if file.read(len(_POINTER)) == _POINTER:
            raise BatosError(
                "BAD_MODEL", f"{shard} is a pointer of Git LFS, and not the weights", "`git lfs pull` in its folder."
            )
    try:
        with safe_open(shard, framework="pt") as held:
            names = [name for name in held.keys() if name.endswith(".weight")]  # noqa: SIM118 - it is no mapping
            kinds = {held.get_slice(name).get_dtype(): name for name in names}
    except SafetensorError as error:
        raise BatosError("BAD_MODEL", f"{shard} is not whole: {error}", AGAIN) from error
    strange = sorted(kinds.keys() - _NUMBERS)
    if strange:
        raise BatosError(
            "BAD_MODEL", f"{shard} holds {kinds[strange[0]]} in {strange[0]}: it is quantized already", WIDE
        )


def _check_shards(path: Path, index: Path) -> None:
    try:
        shards = sorted({str(shard) for shard in _json(index)["weight_map"].values()})
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BatosError("BAD_MODEL", f"{index} is no index of shards: {error}", AGAIN) from error
    missing = [shard for shard in shards if not (path / shard).is_file()]
    if missing:
        raise BatosError(
            "BAD_MODEL",
            f"{path} lacks {len(missing)} of {len(shards)} shards: {', '.join(missing[:5])}",
            AGAIN,
            missing=missing,
        )


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BatosError("BAD_MODEL", f"{path} cannot be read: {error}", AGAIN) from error


@contextlib.contextmanager
def _looking(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        raise BatosError("BAD_MODEL", f"{path} cannot be looked at: {why}", HINT) from error
