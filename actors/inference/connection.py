"""From the configuration to an engine on a server: what the model is made of, and which of the server's models it is.

Experts can be judged without the model's weights: its linears and their shapes follow from its `config.json`, by building
it on the meta device, where nothing is computed and nothing takes memory.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from actors.inference.bank import linears
from actors.inference.device import dtype_of
from actors.inference.lora import Shape
from actors.inference.remote import RemoteEngine
from actors.inference.remote_bank import RemoteBank
from actors.inference.server import KEY, Server
from protocol.errors import BatosError
from protocol.home import Home, Inference

_HINT: Final = "Point `model` under [inference] in batos.toml at a folder with the served model's config.json."


class Connection(NamedTuple):
    """An engine, the digest that its base model goes by, and where that model is."""

    engine: RemoteEngine
    digest: str
    source: str


def connect(settings: Inference, home: Home) -> Connection:
    """Reach the configured server. BAD_CONFIG, BAD_MODEL, or NOT_READY while it is away."""
    if not settings.url:
        raise BatosError("BAD_CONFIG", "inference.engine is openai without inference.url", "Give the server's address.")
    shapes = model_shapes(settings.model)
    server = Server(settings.url, os.environ.get(KEY, ""))
    served = find_served(server, settings.served)
    bank = RemoteBank(
        server,
        served,
        Path(settings.exchange).expanduser().absolute() if settings.exchange else home.root / "exchange",
        shapes=shapes,
        dtype=dtype_of(settings.dtype),
        slots=settings.slots,
        rank=settings.rank,
    )
    digest = settings.digest or identity(settings.model, served)
    engine = RemoteEngine(server, served, bank, digest, settings.warm_bytes)
    return Connection(engine, digest, f"{served} at {server.url}")


def model_shapes(folder: str) -> Mapping[str, Shape]:
    """The linears of the model whose `config.json` lies in `folder`; BAD_MODEL where there is none."""
    try:
        config = AutoConfig.from_pretrained(_config(folder).parent, local_files_only=True)
        kind: Any = AutoModelForCausalLM
        with torch.device("meta"):
            return linears(kind.from_config(config))
    except (OSError, ValueError, KeyError) as error:
        raise BatosError("BAD_MODEL", f"{folder} does not describe a model: {error}", _HINT) from error


def identity(folder: str, served: str) -> str:
    """What stands for the digest of weights that nobody here has: the served name, and what the model is made of."""
    return hashlib.sha256(served.encode() + b"\0" + _config(folder).read_bytes()).hexdigest()


def find_served(server: Server, wanted: str) -> str:
    """The base model's name on the server; BAD_CONFIG where it has no such model, or several and none is named."""
    bases = sorted(name for name, model in server.models().items() if model.parent is None)
    if wanted in bases:
        return wanted
    if not wanted and len(bases) == 1:
        return bases[0]
    raise BatosError(
        "BAD_CONFIG",
        f"inference.served is {wanted!r}, and the server at {server.url} has {', '.join(bases) or 'no model'}",
        "Name one of them.",
    )


def _config(folder: str) -> Path:
    path = Path(folder).expanduser() / "config.json"
    if not folder or not path.is_file():
        raise BatosError("BAD_MODEL", f"there is no model's config.json in {folder!r}", _HINT)
    return path
