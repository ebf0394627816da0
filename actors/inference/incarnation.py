"""How a model comes into the world, and how it comes back to life from there.

A configured model (a Hugging Face folder, a GGUF file, or the embedded default) is converted once into safetensors
shards and small JSON files; these are what the world keeps, under one digest. Every later start loads those files:
a GGUF takes 16 seconds to read, the same weights as safetensors are mapped in under one: where they are computed in the
type in which they are kept, the pages of the committed files are the weights, until `fusing` packs them for who serves.

No code of a model's folder is run, and nothing is asked of anybody meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
from transformers.utils import logging as transformers_logging

from actors.inference.device import dtype_of, is_full, limit_threads, no_room, placement
from actors.inference.sources import AGAIN, HINT, Source, check_files, find
from protocol.errors import BatosError

__all__ = ["Incarnation", "Manifest", "Source", "convert", "find", "load", "readable"]

_SHARD: Final = "1GB"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})

transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]


class Manifest(NamedTuple):
    """What a conversion made: `digest` is the identity of its weights."""

    digest: str
    source: str
    files: tuple[str, ...]


class Incarnation(NamedTuple):
    """A model that is ready to think. `context` is the longest sequence it takes, in tokens.

    `dtype` is the type in which its weights and its experts are kept; that in which it computes is `model.dtype`.
    """

    model: Any
    tokenizer: Any
    tokenizer_json: str
    context: int
    stop: tuple[int, ...]
    dtype: torch.dtype


def convert(source: Source, folder: Path, dtype: str = "auto") -> Manifest:
    """Write the model of `source` into `folder` as safetensors and JSON; BAD_MODEL says why it cannot be used.

    Its numbers are kept in the type that the configuration names, whatever is faster here: the digest is theirs.
    """
    check_files(source.path)
    arguments: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    place = source.path
    if source.path.is_file():
        arguments["gguf_file"] = source.path.name
        place = source.path.parent
    with readable(f"{source.path} cannot be read as a model"):
        tokenizer = AutoTokenizer.from_pretrained(place, **arguments)
        if source.path.is_file():
            arguments["quantization_config"] = GgufConfig(dequantize=True)
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            place, dtype=dtype_of(dtype), output_loading_info=True, **arguments
        )
        model, report = loaded
    _check_weights(source.path, report)
    _stop_tokens(source.path, model, tokenizer)
    with readable(f"{source.path} cannot be kept as safetensors"):
        folder.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(folder, max_shard_size=_SHARD)
        tokenizer.save_pretrained(folder)
    if not (folder / "tokenizer.json").is_file():
        raise BatosError("BAD_MODEL", f"{source.path} has no tokenizer that can be kept as tokenizer.json", HINT)
    files = tuple(sorted(path.name for path in folder.iterdir()))
    return Manifest(_digest(source.path, folder), source.name, files)


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
    name: str = "the model in the world",
) -> Incarnation:
    """The model in `files` (name → where it lies), mapped, not copied, where it stays on the CPU in the type it is kept in.

    `folder` is the model's own as long as it lives: what fits into no memory is read from there. `name` is for messages.
    BAD_MODEL, BAD_CONFIG, OUT_OF_MEMORY, STORAGE.
    """
    limit_threads(threads)
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
            weights=sum(path.stat().st_size for name, path in files.items() if name.endswith(".safetensors")),
        )
        with readable(f"{name} cannot be loaded"):
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            # Attention is sdpa's where the model allows it, and its own where not.
            model: Any = AutoModelForCausalLM.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, **placed
            )
            tokenizer_json = _unpadded(tokenizer, (folder / "tokenizer.json").read_text(encoding="utf-8"))
            context = int(getattr(model.config.get_text_config(), "max_position_embeddings", 0) or 2048)
    model.eval()
    return Incarnation(model, tokenizer, tokenizer_json, context, _stop_tokens(name, model, tokenizer), dtype_of(dtype))


@contextlib.contextmanager
def readable(what: str) -> Iterator[None]:
    """Whatever a model's files make the readers raise becomes BAD_MODEL; a lack of memory or disk is its own failure."""
    try:
        yield
    except BatosError:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic of a reader that is written in Rust is no Exception
        if is_full(error):
            raise no_room(error, "the model") from None
        if isinstance(error, OSError) and error.errno in _FULL:
            raise BatosError("STORAGE", f"{what}: {error.strerror}", "Make room on the disk of the home.") from error
        raise BatosError("BAD_MODEL", f"{what}: {_first_line(error)}", HINT) from error


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


def _check_weights(path: Path, report: Mapping[str, Any]) -> None:
    """All of the model's weights, each of its shape, and none that the configuration does not account for."""
    lacking = sorted(map(str, report["missing_keys"])) + sorted(str(key) for key in report["mismatched_keys"])
    if lacking:
        raise BatosError("BAD_MODEL", f"{path} lacks {len(lacking)} of its weights, {lacking[0]} among them", AGAIN)
    strange = sorted(map(str, report["unexpected_keys"]))
    if strange:
        raise BatosError(
            "BAD_MODEL",
            f"{path} holds {len(strange)} weights that its config.json does not account for, {strange[0]} among them",
            "Is the config.json that of these weights? " + AGAIN,
        )


def _unpadded(tokenizer: Any, text: str) -> str:
    """The tokenizer and its tokenizer.json without padding and truncation: here a text is its own tokens, and all of them."""
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    return json.dumps({**json.loads(text), "padding": None, "truncation": None}, ensure_ascii=False)


def _digest(source: Path, folder: Path) -> str:
    """The same for the same weights, however they are cut into shards and whoever wrote the files about them.

    sha256 over each tensor's name, type, shape and bytes, in the order of the names. BAD_MODEL for a number that is none.
    """
    with contextlib.ExitStack() as stack:
        shards = [stack.enter_context(safe_open(path, framework="pt")) for path in sorted(folder.glob("*.safetensors"))]
        where = {name: shard for shard in shards for name in shard.keys()}  # noqa: SIM118 - it is no mapping
        whole = hashlib.sha256()
        for name in sorted(where):
            tensor = where[name].get_tensor(name)
            # What is no number is its own least and largest; to ask each number takes fifty times as long.
            if tensor.is_floating_point() and not all(bool(torch.isfinite(end)) for end in torch.aminmax(tensor)):
                raise BatosError("BAD_MODEL", f"{source}: the weight {name} holds a number that is not finite", AGAIN)
            whole.update(f"{name}\0{tensor.dtype}\0{list(tensor.shape)}\0".encode())
            whole.update(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)
    return whole.hexdigest()


def _stop_tokens(name: object, model: Any, tokenizer: Any) -> tuple[int, ...]:
    """Every token that ends a text, by the generation config, the model's and the tokenizer's word; BAD_MODEL for none."""
    generation = getattr(model, "generation_config", None)
    found: set[int] = set()
    for said in (
        getattr(generation, "eos_token_id", None),
        getattr(model.config.get_text_config(), "eos_token_id", None),
        tokenizer.eos_token_id,
    ):
        found.update([said] if isinstance(said, int) else said or ())
    if not found:
        raise BatosError(
            "BAD_MODEL",
            f"{name} names no token that ends a text (eos_token_id)",
            "Add it to the model's generation_config.json, or to its tokenizer_config.json.",
        )
    size = int(model.get_input_embeddings().weight.shape[0])
    strange = sorted(token for token in found if not 0 <= token < size)
    if strange:
        raise BatosError(
            "BAD_MODEL",
            f"{name} ends texts with the token {strange[0]}, and its embeddings have {size} (eos_token_id)",
            "Correct it in generation_config.json, config.json or tokenizer_config.json.",
        )
    return tuple(sorted(found))


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]
