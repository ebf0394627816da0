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
import pickle
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GgufConfig
from transformers.utils import logging as transformers_logging

from actors.inference.model import mapped, room
from actors.inference.model.device import dtype_of, is_full, limit_threads, no_room, placement
from actors.inference.model.linking import link
from actors.inference.model.sources import AGAIN, HINT, ModelSource, check_files, find
from protocol.errors import BatosError

__all__ = ["Incarnation", "ModelManifest", "ModelSource", "convert", "find", "load", "readable"]

_SHARD: Final = "1GB"
_CONTEXT: Final = 2048
"""Of a model that names no longest sequence."""
SMALLER: Final = (
    "Name a smaller model, or the same as a GGUF file in four bits; or set `memory_bytes` under [inference] in batos.toml, over"
    " which weights are read from the disk."
)
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})

transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]

OnProgress = Callable[[int, int], None]
"""Told how many of how many bytes have been read."""


class ModelManifest(NamedTuple):
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
    mapped: tuple[str, ...] = ()
    """Files of which its weights may be the pages."""


def convert(
    source: ModelSource, folder: Path, dtype: str = "auto", on_progress: OnProgress = lambda *_: None
) -> ModelManifest:
    """Write the model of `source` into `folder` as safetensors and JSON; BAD_MODEL says why it cannot be used.

    Its numbers are kept in the type that the configuration names, whatever is faster here: the digest is theirs. Of a GGUF
    file `on_progress` is told how many of how many bytes have been read.
    """
    check_files(source.path)
    # Whatever else of the files is odd in a way that nobody has thought of is theirs too.
    quickly = _quickly(source.path, dtype_of(dtype), on_progress) if source.path.is_file() else contextlib.nullcontext()
    with readable(f"{source.path} cannot be converted"), quickly:
        return _convert(source, folder, dtype)


def _quickly(path: Path, kept: torch.dtype, on_progress: OnProgress) -> contextlib.AbstractContextManager[None]:
    """While transformers reads the GGUF file at `path`; BAD_MODEL where the file is none, or not whole; OUT_OF_MEMORY."""
    from actors.inference.model.gguf.header import read_header  # noqa: PLC0415 - a machine that has folders alone lacks gguf
    from actors.inference.model.gguf.reading import quickly  # noqa: PLC0415 - as above

    header = read_header(path)
    if len(header.parts) > 1:
        raise BatosError(
            "BAD_MODEL",
            f"{path} is one of {len(header.parts)} parts, and torch is given a whole file",
            "Join them (`llama-gguf-split --merge`), or have llama.cpp serve them as they are (docs/engines.md).",
        )
    header.refuse_unknown()
    numbers = sum(tensor.numbers for tensor in header.tensors)
    room.check(numbers * kept.itemsize, room.free(), f"the conversion of {path.name}", SMALLER)
    return quickly(header, on_progress)


def _convert(source: ModelSource, folder: Path, dtype: str) -> ModelManifest:
    arguments: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    place = source.path
    if source.path.is_file():
        arguments["gguf_file"] = source.path.name
        place = source.path.parent
    if source.path.is_dir():
        with readable(f"{place / 'config.json'} cannot be read"):
            AutoConfig.from_pretrained(place, **arguments)
    with readable(f"the tokenizer of {source.path} cannot be read"):
        tokenizer = AutoTokenizer.from_pretrained(place, **arguments)
    with readable(f"{source.path} cannot be read as a model"):
        if source.path.is_file():
            arguments["quantization_config"] = GgufConfig(dequantize=True)
        # Weights of another shape are named by `_check_weights`.
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            place, dtype=dtype_of(dtype), output_loading_info=True, ignore_mismatched_sizes=True, **arguments
        )
        model, report = loaded
    _check_weights(source.path, model, report)
    _stop_tokens(source.path, model, tokenizer)
    with readable(f"{source.path} cannot be kept as safetensors"):
        folder.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(folder, max_shard_size=_SHARD)
        tokenizer.save_pretrained(folder)
    if not (folder / "tokenizer.json").is_file():
        raise BatosError("BAD_MODEL", f"{source.path} has no tokenizer that can be kept as tokenizer.json", HINT)
    files = tuple(sorted(path.name for path in folder.iterdir()))
    return ModelManifest(_digest(source.path, folder), source.name, files)


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
        link(files, folder)
        weights = [path for name, path in files.items() if name.endswith(".safetensors")]
        kept = sum(path.stat().st_size for path in weights)
        placed = placement(
            device,
            dtype,
            quantization=quantization,
            device_bytes=device_bytes,
            memory_bytes=memory_bytes,
            folder=folder,
            weights=kept,
        )
        if "device_map" not in placed:
            # Without it the weights have no other place than memory. What they are mapped from gives way to what is joined.
            room.check(kept * placed["dtype"].itemsize // dtype_of(dtype).itemsize, room.free(), name, SMALLER)
        with readable(f"{name} cannot be loaded"):
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            # Attention is sdpa's where the model allows it, and its own where not.
            model: Any = AutoModelForCausalLM.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, **placed
            )
            tokenizer_json = _unpadded(tokenizer, (folder / "tokenizer.json").read_text(encoding="utf-8"))
            context = _context(model.config.get_text_config())
            stop = _stop_tokens(name, model, tokenizer)
    model.eval()
    return Incarnation(model, tokenizer, tokenizer_json, context, stop, dtype_of(dtype), mapped.real(weights))


def relink(files: Mapping[str, Path], folder: Path) -> None:
    """The files of the model that was loaded with this `folder` have moved: what it reads from there is found again. STORAGE."""
    try:
        for name, path in files.items():
            fresh = folder / f"{name}.moved"
            fresh.symlink_to(path)
            fresh.replace(folder / name)
    except OSError as error:
        raise BatosError(
            "STORAGE",
            f"the model's folder {folder} cannot be written: {error.strerror or error}",
            "Is the disk full, or the home not yours to write in?",
        ) from error


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
        raise BatosError("BAD_MODEL", f"{what}: {_reason(error)}", HINT) from error


def _check_weights(path: Path, model: Any, report: Mapping[str, Any]) -> None:
    """All of the model's weights, each of its shape, and none that the configuration does not account for."""
    unlike = sorted((str(name), list(held), list(wanted)) for name, held, wanted in report["mismatched_keys"])
    if unlike:
        name, held, wanted = unlike[0]
        raise BatosError(
            "BAD_MODEL",
            f"{path} holds {len(unlike)} weights of another shape than its config.json says: {name} is {held}, not {wanted}",
            "Is the config.json that of these weights? " + AGAIN,
        )
    lacking = sorted(map(str, report["missing_keys"]))
    if lacking:
        raise BatosError("BAD_MODEL", f"{path} lacks {len(lacking)} of its weights, {lacking[0]} among them", AGAIN)
    # Earlier releases wrote masks beside the weights: those are what a model of any weights makes for itself.
    masks = {name for name, _ in model.named_buffers()}
    strange = sorted(
        name
        for name in map(str, report["unexpected_keys"])
        if masks.isdisjoint((name, f"{model.base_model_prefix}.{name}")) and not name.endswith(".masked_bias")
    )
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
            # min and max propagate NaN, so two numbers tell; to test each element takes fifty times as long.
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
    sizes = {
        "embeddings have": int(model.get_input_embeddings().weight.shape[0]),
        "tokenizer has": max(tokenizer.get_vocab().values(), default=-1) + 1,
    }
    for whose, size in sizes.items():
        strange = sorted(token for token in found if not 0 <= token < size)
        if strange:
            raise BatosError(
                "BAD_MODEL",
                f"{name} ends texts with the token {strange[0]}, and its {whose} {size} (eos_token_id)",
                "Correct it in generation_config.json, config.json or tokenizer_config.json.",
            )
    return tuple(sorted(found))


def _context(config: Any) -> int:
    """The longest sequence that the model of this text configuration reads as it reads a short one.

    With longrope a sequence beyond the original length is turned by other frequencies: what was read before it grew so
    long, and the shorter rows beside it, would be heard wrongly.
    """
    named = [getattr(config, name, None) for name in ("max_position_embeddings", "max_seq_len")]
    longest = next((size for size in named if isinstance(size, int) and size > 0), _CONTEXT)
    rope = getattr(config, "rope_parameters", None) or {}
    for kind in (rope, *rope.values()):
        if isinstance(kind, dict) and kind.get("rope_type") == "longrope":
            longest = min(longest, int(kind["original_max_position_embeddings"]))
    return longest


def _reason(error: BaseException) -> str:
    """What an error says in a line or two; a reader's check says in the first only what it has looked at."""
    if isinstance(error, pickle.UnpicklingError):
        return "its weights are a pickle of more than tensors, which could run code"
    said = [line.strip() for line in str(error).strip().splitlines()]
    if isinstance(error, LookupError | StopIteration | AssertionError) or not said:
        said = [f"{type(error).__name__} {' '.join(said)}".strip()]
    return " ".join(said[: 2 if said[0].endswith(":") else 1])[:300]
