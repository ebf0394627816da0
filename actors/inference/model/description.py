"""What a model is, told from the header of its file or the JSON of its folder: without its weights, and without torch.

So it is told in a second of a model of any size, also of one that this machine could never load.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, Final, NamedTuple

from gguf.constants import MODEL_ARCH_NAMES

from actors.inference.model.gguf.header import AGAIN, GgufHeader, Length, read_header
from protocol.errors import BatosError

GGUF: Final = "gguf"
FOLDER: Final = "folder"
_CONTEXT: Final = 2048
"""Of a model that names no longest sequence."""
_BYTE_TOKENIZERS: Final = frozenset({"gpt2", "llama"})
"""Tokenizers of GGUF, by name, whose tokens are bytes or fall back to them."""
_SIZES: Final = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "I8": 1, "U8": 1}
_HEADER_BYTES: Final = 100_000_000
"""The most that safetensors lets a header have."""


class Dimensions(NamedTuple):
    """The sizes that memory follows from; `heads` of keys and values, each `width` wide, in each of the `layers`."""

    layers: int
    hidden: int
    feed_forward: int
    query_heads: int
    heads: int
    width: int

    @property
    def cached(self) -> int:
        """Numbers that are kept of a token that was read: a key and a value of each head in each layer."""
        return 2 * self.layers * self.heads * self.width

    @property
    def lent(self) -> int:
        """Inputs and outputs of all the linears beside which an expert stands: it has so many numbers for each rank."""
        queries, keys = self.query_heads * self.width, self.heads * self.width
        attention = (self.hidden + queries) * 2 + (self.hidden + keys) * 2
        return self.layers * (attention + 3 * (self.hidden + self.feed_forward))


class Description(NamedTuple):
    """What a model is. `numbers` is how many weights it has, `looked_up` of those are the embeddings, which are looked up
    and not multiplied with; `disk` is in bytes; `binds` is whether its tokens are bytes, so that a grammar can bind them.
    """

    path: Path
    kind: str
    architecture: str
    quantization: str
    numbers: int
    looked_up: int
    disk: int
    context: int
    template: bool
    binds: bool
    dimensions: Dimensions
    parts: int = 1


def describe(path: Path) -> Description:
    """The model at `path`, a GGUF file or a Hugging Face folder; BAD_MODEL says what is wrong with it."""
    if not path.exists():
        raise BatosError("BAD_MODEL", f"there is no model at {path}", "Give a Hugging Face folder or a GGUF file.")
    return _of_folder(path) if path.is_dir() else _of_header(path, read_header(path))


def _of_header(path: Path, header: GgufHeader) -> Description:
    architecture = header.architecture
    if not header.tensors:
        raise BatosError("BAD_MODEL", f"{path} is a GGUF file that holds no weights: it is a vocabulary alone", AGAIN)
    if architecture not in MODEL_ARCH_NAMES.values():
        raise BatosError(
            "BAD_MODEL",
            f"{path} is of the architecture {architecture[:60]!r}, which neither llama.cpp nor transformers knows here",
            "Give a model of another architecture, or update the program.",
        )
    tensors = {tensor.name: tensor for tensor in header.tensors}
    embedded = tensors.get("token_embd.weight")
    words = header.values.get("tokenizer.ggml.tokens")
    tokenizer = header.values.get("tokenizer.ggml.model")
    count = words if isinstance(words, Length) else 0
    if embedded is None or not count:
        what = "embeddings" if embedded is None else "tokenizer"
        hint = "Name the whole model; an adapter is taken in by `batos expert import`."
        raise BatosError("BAD_MODEL", f"{path} holds no {what}: it is no whole language model", hint)
    if count > embedded.shape[0]:
        raise BatosError(
            "BAD_MODEL",
            f"{path} has a tokenizer of {count} tokens, and embeddings of {embedded.shape[0]}: it is another model's",
            AGAIN,
        )
    heads = header.number("attention.head_count") or 1
    hidden = header.number("embedding_length") or embedded.shape[-1]
    return Description(
        path=path,
        kind=GGUF,
        architecture=architecture,
        quantization=header.quantization,
        numbers=sum(tensor.numbers for tensor in header.tensors),
        looked_up=embedded.numbers if "output.weight" in tensors else 0,
        disk=sum(part.stat().st_size for part in header.parts),
        context=header.number("context_length") or _CONTEXT,
        template=bool(header.values.get("tokenizer.chat_template")),
        binds=tokenizer in _BYTE_TOKENIZERS,
        dimensions=Dimensions(
            layers=header.number("block_count", 1),
            hidden=hidden,
            feed_forward=header.number("feed_forward_length", 4 * hidden),
            query_heads=heads,
            heads=header.number("attention.head_count_kv", heads),
            width=header.number("attention.key_length", hidden // heads),
        ),
        parts=len(header.parts),
    )


def _of_folder(path: Path) -> Description:
    config = _object(path / "config.json")
    nested = config.get("text_config")
    text: dict[str, Any] = nested if isinstance(nested, dict) else config
    tokenizer = _object(path / "tokenizer.json") if (path / "tokenizer.json").is_file() else {}
    weights = _safetensors(path)
    numbers = sum(count for count, _ in weights.values())
    files = [file for pattern in ("*.safetensors", "*.bin") for file in path.glob(pattern)]
    disk = sum(file.stat().st_size for file in files)
    kinds = {kind for _, kind in weights.values()}
    said = str(text.get("dtype") or text.get("torch_dtype") or config.get("dtype") or config.get("torch_dtype") or "")
    hidden = _named(text, ("hidden_size", "n_embd", "d_model"), 1)
    heads = _named(text, ("num_attention_heads", "n_head"), 1)
    words = _named(text, ("vocab_size",), 0)
    tied = text.get("tie_word_embeddings", config.get("tie_word_embeddings", False))
    return Description(
        path=path,
        kind=FOLDER,
        architecture=str(config.get("model_type", "unknown")),
        quantization="/".join(sorted(kind.lower() for kind in kinds)) or said or "unknown",
        numbers=numbers or disk // _SIZES.get({"float32": "F32"}.get(said, "BF16"), 2),
        looked_up=0 if tied else words * hidden,
        disk=disk,
        context=_named(text, ("max_position_embeddings", "n_positions", "max_seq_len"), _CONTEXT),
        template=(path / "chat_template.jinja").is_file() or bool(_template(path)),
        binds=_falls_back_to_bytes(tokenizer),
        dimensions=Dimensions(
            layers=_named(text, ("num_hidden_layers", "n_layer", "num_layers"), 1),
            hidden=hidden,
            feed_forward=_named(text, ("intermediate_size", "n_inner", "ffn_dim"), 4 * hidden),
            query_heads=heads,
            heads=_named(text, ("num_key_value_heads",), heads),
            width=_named(text, ("head_dim",), max(1, hidden // heads)),
        ),
    )


def _named(config: dict[str, Any], names: tuple[str, ...], otherwise: int) -> int:
    return next((value for name in names if isinstance(value := config.get(name), int) and value > 0), otherwise)


def _template(path: Path) -> Any:
    file = path / "tokenizer_config.json"
    return _object(file).get("chat_template") if file.is_file() else None


def _falls_back_to_bytes(tokenizer: dict[str, Any]) -> bool:
    """Whether a tokenizer.json has tokens that are bytes, of each of which llguidance knows what it spells."""
    model = tokenizer.get("model") or {}
    return model.get("type") == "BPE" and (
        bool(model.get("byte_fallback")) or '"ByteLevel"' in json.dumps(tokenizer.get("decoder"))
    )


def _safetensors(path: Path) -> dict[str, tuple[int, str]]:
    """Of each tensor in the folder how many numbers it has, and of which type; nothing where no safetensors are there."""
    found: dict[str, tuple[int, str]] = {}
    for file in sorted(path.glob("*.safetensors")):
        try:
            with file.open("rb") as opened:
                (length,) = struct.unpack("<Q", opened.read(8))
                header = json.loads(opened.read(min(length, _HEADER_BYTES)))
            for name, tensor in header.items():
                if name == "__metadata__":
                    continue
                count = 1
                for size in tensor["shape"]:
                    count *= size
                found[name] = (count, tensor["dtype"])
        except (OSError, struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BatosError("BAD_MODEL", f"{file} is not whole, or holds no weights", AGAIN) from error
    return found


def _object(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        hint = "Give the folder that the model's `save_pretrained` wrote, or a GGUF file."
        raise BatosError("BAD_MODEL", f"{path.parent} has no {path.name}", hint) from None
    except (OSError, ValueError, RecursionError) as error:
        raise BatosError("BAD_MODEL", f"{path} cannot be read: {error}", AGAIN) from error
    if not isinstance(read, dict):
        raise BatosError("BAD_MODEL", f"{path} cannot be read: it is no JSON object", AGAIN)
    return read
