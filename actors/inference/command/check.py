"""`python -m actors.inference.command`: what a model is, and what it would be here; needs nothing that runs.

What can be told from a header is told first, so that a wrong file is named in a second. The libraries, of which the import
takes longer than all the rest, come in for a file that is right.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from actors.inference.model.description import GGUF, Description, describe
from actors.inference.model.gguf.header import read_header
from protocol.errors import BatosError
from protocol.home import Home, Inference, choose

if TYPE_CHECKING:
    from actors.inference.model.estimate import Budget

EMBEDDED_NAMES: Final = frozenset({"embedded", "default"})
SMALLER: Final = "Give a smaller model, or the same in fewer bits, such as a GGUF file in Q4_K_M."


def check(named: str, settings: Inference, home: Home) -> dict[str, Any]:
    """What `batos model check` answers of the model `named`, a path, a server's address, or `embedded`.

    UNREADABLE says what is wrong with a file, BAD_CONFIG with an address, NOT_READY that nobody answers there; OUT_OF_MEMORY
    has all that is known of the model in its data.
    """
    began = time.monotonic()
    try:
        found = _server(named, settings) if is_address(named) else _file(named, settings, home)
    except BatosError as error:
        if error.code != "BAD_MODEL":
            raise
        raise BatosError("UNREADABLE", error.message, error.hint, **error.data) from error
    found["seconds"] = round(time.monotonic() - began, 2)
    if not found.get("fits", True):
        memory = found["memory"]
        raise BatosError(
            "OUT_OF_MEMORY",
            f"the model needs {memory['needed'] / 1e9:.1f} GB here, and {memory['free'] / 1e9:.1f} GB are free",
            SMALLER,
            **found,
        )
    return found


def is_address(named: str) -> bool:
    return named.startswith(("http://", "https://"))


def _file(named: str, settings: Inference, home: Home) -> dict[str, Any]:
    from actors.inference.model.embedded import embedded_file  # noqa: PLC0415 - light, but of no use for a server

    shipped, _ = embedded_file()
    own = named in EMBEDDED_NAMES
    path = shipped if own else Path(os.path.abspath(os.path.expanduser(named)))  # noqa: PTH100, PTH111 - it keeps a/../b
    model = describe(path)
    chosen = msgspec.structs.replace(
        settings, engine="auto" if settings.engine == "openai" else settings.engine, model="" if own else str(path)
    )
    choice = choose(chosen, home.root)
    if choice.engine == "local":
        _check_local(model)
    return {
        "model": "embedded" if own else str(path),
        **_described(model),
        "engine": choice.engine,
        "why": choice.why,
        "faster": choice.faster,
        "experts": _experts(path, shipped),
        **_estimated(model, chosen, choice.engine),
    }


def _described(model: Description) -> dict[str, Any]:
    return {
        "kind": model.kind,
        "architecture": model.architecture,
        "quantization": model.quantization,
        "parameters": model.numbers,
        "disk": model.disk,
        "parts": model.parts,
        "context": model.context,
        "template": model.template,
        "forms": ["narrow", "open", "free"] if model.binds else ["free"],
    }


def _check_local(model: Description) -> None:
    """BAD_MODEL for what transformers does not read, as the conversion would say it, and minutes earlier."""
    from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES  # noqa: PLC0415 - seconds

    from actors.inference.model.sources import check_files  # noqa: PLC0415 - as above

    check_files(model.path)
    if model.kind == GGUF:
        read_header(model.path).refuse_unknown()
    if model.kind == GGUF and model.architecture not in GGUF_SUPPORTED_ARCHITECTURES:
        raise BatosError(
            "BAD_MODEL",
            f"{model.path} is of the architecture {model.architecture!r}, which transformers does not read from a GGUF file",
            "Give the Hugging Face folder of the model; or have llama.cpp serve the file: pip install 'batos[llama]'.",
        )
    if model.parts > 1:
        raise BatosError(
            "BAD_MODEL",
            f"{model.path} is one of {model.parts} parts, and torch is given a whole file",
            "Join them (`llama-gguf-split --merge`), or have llama.cpp serve them: pip install 'batos[llama]'.",
        )
    if not model.binds:
        raise BatosError(
            "BAD_MODEL",
            f"{model.path} has a tokenizer whose tokens are not bytes, and no form could bind its texts",
            "Give a model with byte-level BPE, or BPE with byte fallback.",
        )


def _experts(path: Path, shipped: Path) -> dict[str, Any]:
    """Whether the experts that ship fit: they were made for one content, and not for a shape."""
    if path == shipped or (
        path.is_file() and path.stat().st_size == shipped.stat().st_size and _sha256(path) == _sha256(shipped)
    ):
        return {"fit": True, "why": "they were made for this model"}
    return {
        "fit": False,
        "why": "they were made for the embedded model; personas speak through prompts, and `batos expert train` makes others",
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _estimated(model: Description, settings: Inference, engine: str) -> dict[str, Any]:
    from actors.inference.model.estimate import Wanted, estimate  # noqa: PLC0415 - it imports torch

    wanted = Wanted(
        device=settings.device,
        dtype=settings.dtype,
        quantization=settings.quantization,
        threads=settings.threads,
        slots=settings.slots,
        rank=settings.rank,
        prefix_bytes=settings.prefix_bytes,
    )
    found = estimate(model, wanted, _served(model.path, settings) if engine == "llama" else None)
    return {
        "fits": found.fits,
        "memory": {
            "dtype": found.dtype,
            "weights": found.weights,
            "beside": found.experts,
            "kv_per_token": found.token,
            "kv": found.token * model.context,
            "prefixes": found.prefixes,
            "needed": found.needed,
            "free": found.free,
            "context": found.room,
        },
        "speed": {
            "tokens_per_s": round(found.tokens_per_s, 1),
            "estimate": True,
            "bytes_per_token": found.step,
            "bytes_per_s": round(found.bytes_per_s),
        },
    }


def _served(path: Path, settings: Inference) -> Budget:
    """What llama.cpp would be given with the file at `path`; BAD_MODEL for one that it would not be given."""
    from actors.inference.llama import keeping, sizing  # noqa: PLC0415 - of no use for another engine
    from actors.inference.model import allowance  # noqa: PLC0415 - as above
    from actors.inference.model.estimate import Budget  # noqa: PLC0415 - it imports torch

    header = keeping.header_of(keeping.find(path))
    free = allowance.memory()
    takes, given = sizing.taken(header), sizing.divided(header, free, settings)
    return Budget(
        dtype=header.quantization,
        weights=takes.weights,
        beside=takes.beside,
        token=takes.token,
        needed=takes.needed,
        free=free,
        prefixes=given.kept,
        room=given.longest if takes.needed <= free else 0,
    )


def _server(url: str, settings: Inference) -> dict[str, Any]:
    from actors.inference.remote.connection import connect  # noqa: PLC0415 - it imports torch
    from actors.inference.remote.server import KEY, REFUSALS, Server  # noqa: PLC0415 - as above

    server = Server(url, os.environ.get(KEY, ""))
    try:
        offered = server.models()
    except BatosError as error:
        if error.code not in REFUSALS:
            raise
        raise BatosError(
            "BAD_CONFIG",
            f"what answers at {server.url} is no model server: {error.message}",
            "Give the address of an OpenAI-compatible server, up to its /v1: vLLM, llama.cpp, Ollama, LM Studio.",
            **error.data,
        ) from error
    bases = sorted(name for name, model in offered.items() if model.parent is None)
    told: dict[str, Any] = {"model": url, "kind": "server", "engine": "openai", "models": bases}
    told["loras"] = sorted(name for name, model in offered.items() if model.parent is not None)
    served = settings.served if settings.served in bases else (bases[0] if bases else "")
    if not served:
        hint = "Have it load one first; its own page says how."
        raise BatosError(
            "BAD_CONFIG", f"the server at {server.url} offers no model, if it is a model server at all", hint
        )
    asked = msgspec.structs.replace(settings, engine="openai", url=url, served=served)
    with tempfile.TemporaryDirectory(prefix="batos-check-") as folder:
        connection = connect(asked, Home(Path(folder)))
    abilities = connection.engine.generator.abilities
    return {
        **told,
        "served": served,
        "abilities": msgspec.to_builtins(abilities),
        "context": abilities.context,
        "forms": ["narrow", "open", "free"] if abilities.grammar != "none" else ["free"],
        "experts": {
            "fit": False,
            "why": "they were made for the embedded model; personas speak through prompts",
        },
    }
