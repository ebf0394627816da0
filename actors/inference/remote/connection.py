"""From the configuration to an engine on a server: which of the server's models it is, and what is known of it here.

A folder with the model's `config.json` and tokenizer is needed for two things. Prompts are made with the tokenizer in it, where
the server lends none of its own and takes token ids. And experts can be judged without the model's weights: its linears and
their shapes follow from its `config.json`, by building it on the meta device, where nothing is computed and nothing takes
memory. Without a folder a model is served all the same, and what that costs is said.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import structlog

from actors.inference.prompts import Prompts
from actors.inference.remote.generator import RemoteGenerator
from actors.inference.remote.no_bank import NoBank
from actors.inference.remote.probing import probe
from actors.inference.remote.remote_bank import RemoteBank, ServerBank
from actors.inference.remote.remote_text import Words
from actors.inference.remote.replies import Served
from actors.inference.remote.server import KEY, Server
from actors.inference.remote.server_prompts import Tokenizer
from actors.inference.serving import Serving
from actors.inference.weights.lora import Shape
from protocol.errors import BatosError
from protocol.home import Home, Inference

_HINT: Final = (
    "Point `model` under [inference] in batos.toml at a folder with the served model's config.json and tokenizer."
)
_LOCAL: Final[dict[str, Any]] = {"local_files_only": True, "trust_remote_code": False}
"""No code of a model's folder is run, and nothing is asked of anybody meanwhile."""
_PASSING_META: Final = frozenset({"n_ctx"})
"""What a server tells of a model that is of how it was started, and not of what it is."""

_log = structlog.get_logger("inference")


class Connection(NamedTuple):
    """An engine, the digest that its base model goes by, and where that model is."""

    engine: Serving[RemoteGenerator]
    digest: str
    source: str


def connect(settings: Inference, home: Home) -> Connection:
    """Reach the configured server. BAD_CONFIG, BAD_MODEL, or NOT_READY while it is away."""
    if not settings.url:
        raise BatosError("BAD_CONFIG", "inference.engine is openai without inference.url", "Give the server's address.")
    return attach(Server(settings.url, os.environ.get(KEY, "")), settings, home)


def attach(
    server: Server,
    settings: Inference,
    home: Home,
    *,
    digest: str = "",
    source: str = "",
    prompts: Tokenizer | None = None,
) -> Connection:
    """Try what the server can do, and make an engine of it. BAD_CONFIG, BAD_MODEL, or NOT_READY while it is away.

    `digest` and `source` say what the base model is and where it came from, and `prompts` makes its prompts, where whoever has
    started the server knows; then no folder is looked at. A `model` in the settings that is no folder names one of the
    server's models.
    """
    folder = "" if prompts else _folder(settings)
    shapes = model_shapes(folder) if folder else None
    prompts = model_prompts(folder) if folder else prompts
    bases = [model for model in server.models().values() if model.parent is None]
    served = find_served(server, bases, settings.served or ("" if folder or digest else settings.model))
    probed = probe(server, served, prompts, alone=len(bases) == 1, lends=shapes is not None)
    abilities = probed.abilities
    for name, instead in abilities.instead.items():
        _log.warning("the model server cannot do everything", ability=name, instead=instead)
    words = Words(probed.prompts, abilities, served.id, probed.names)
    bank: ServerBank = NoBank()
    if shapes is not None and abilities.lora != "none":
        bank = _bank(server, served.id, settings, home, shapes=shapes)
    generator = RemoteGenerator(server, served.id, bank, words, abilities=abilities)
    digest = digest or settings.digest or identity(folder, served)
    return Connection(Serving(generator, digest, settings.warm_bytes), digest, source or f"{served.id} at {server.url}")


def model_shapes(folder: str) -> Mapping[str, Shape]:
    """The linears of the model whose `config.json` lies in `folder`; BAD_MODEL where there is none."""
    import torch  # noqa: PLC0415 - seconds of import, which only who lends experts has to wait for
    from transformers import AutoConfig, AutoModelForCausalLM  # noqa: PLC0415 - as above

    from actors.inference.decoding.bank import linears  # noqa: PLC0415 - as above

    path = _config(folder).parent
    with _described(folder):
        config = AutoConfig.from_pretrained(path, **_LOCAL)
        kind: Any = AutoModelForCausalLM
        with torch.device("meta"):
            return linears(kind.from_config(config, trust_remote_code=False))


def model_prompts(folder: str) -> Prompts:
    """What makes prompts with the tokenizer and the chat template in `folder`; BAD_MODEL where there is no tokenizer."""
    from transformers import AutoTokenizer  # noqa: PLC0415 - seconds of import

    path = _config(folder).parent
    with _described(folder):
        tokenizer = AutoTokenizer.from_pretrained(path, **_LOCAL)
        backend = tokenizer.backend_tokenizer
        backend.no_padding()
        backend.no_truncation()
        return Prompts(tokenizer, backend.to_str())


def identity(folder: str, served: Served) -> str:
    """What stands for the digest of weights that nobody here has: the served name, and what is known of the model.

    That is its `config.json`, or without a folder what the server tells of it.
    """
    if folder:
        known = _config(folder).read_bytes()
    else:
        known = msgspec.json.encode(
            {k: v for k, v in (served.meta or {}).items() if k not in _PASSING_META}, order="sorted"
        )
    return hashlib.sha256(served.id.encode() + b"\0" + known).hexdigest()


def find_served(server: Server, bases: Sequence[Served], wanted: str) -> Served:
    """The base model that goes by this name on the server; BAD_CONFIG where it has none such, or several and none is named.

    A name is the server's own, one of its aliases, or the name of the file that it was made of.
    """
    found = [model for model in bases if wanted in {model.id, *model.aliases}]
    found = found or [model for model in bases if wanted in {Path(model.id).name, Path(model.id).stem}]
    if not wanted:
        found = list(bases)
    if len(found) == 1:
        return found[0]
    has = ", ".join(sorted(model.id for model in bases)) or "no model"
    raise BatosError(
        "BAD_CONFIG",
        f"inference.served is {wanted!r}, and the server at {server.url} has {has}"[:1000],
        "Name one of them: `served` under [inference] in batos.toml.",
    )


def _folder(settings: Inference) -> str:
    """The folder with what is known of the model here, empty where there is none. BAD_MODEL for one that describes no model."""
    path = Path(settings.model).expanduser()
    if settings.model and (settings.served or path.is_dir() or (path / "config.json").is_file()):
        return str(_config(settings.model).parent)
    return ""


def _bank(server: Server, served: str, settings: Inference, home: Home, *, shapes: Mapping[str, Shape]) -> RemoteBank:
    from actors.inference.model.device import dtype_of  # noqa: PLC0415 - seconds of import

    return RemoteBank(
        server,
        served,
        Path(settings.exchange).expanduser().absolute() if settings.exchange else home.root / "exchange",
        shapes=shapes,
        dtype=dtype_of(settings.dtype),
        slots=settings.slots,
        rank=settings.rank,
    )


@contextmanager
def _described(folder: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the readers raise as they like
        why = next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]
        raise BatosError("BAD_MODEL", f"{folder} does not describe a model: {why}", _HINT) from error


def _config(folder: str) -> Path:
    path = Path(folder).expanduser() / "config.json"
    if not folder or not path.is_file():
        raise BatosError("BAD_MODEL", f"there is no model's config.json in {folder!r}", _HINT)
    return path
