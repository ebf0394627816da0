"""From the configuration to an engine on a server: what the model is made of, and which of the server's models it is.

Experts can be judged without the model's weights: its linears and their shapes follow from its `config.json`, by building
it on the meta device, where nothing is computed and nothing takes memory. Its tokenizer lies beside that, so that prompts
are made here; whether the server takes them as tokens is asked of it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import structlog
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from actors.inference.decoding.bank import linears
from actors.inference.model.device import dtype_of
from actors.inference.prompts import Prompts
from actors.inference.remote.generator import RemoteGenerator
from actors.inference.remote.no_bank import NoBank
from actors.inference.remote.remote_bank import RemoteBank
from actors.inference.remote.remote_text import Words
from actors.inference.remote.server import KEY, REFUSALS, Server
from actors.inference.serving import Serving
from actors.inference.weights.lora import Shape
from protocol.errors import BatosError
from protocol.home import Home, Inference
from protocol.messages import Abilities, Row

_HINT: Final = (
    "Point `model` under [inference] in batos.toml at a folder with the served model's config.json and tokenizer."
)
_LOCAL: Final[dict[str, Any]] = {"local_files_only": True, "trust_remote_code": False}
"""No code of a model's folder is run, and nothing is asked of anybody meanwhile."""
_SAMPLE: Final = "In 1984 naïve foxes (东京 😀)\n\tif x != 'y_z': return {}"
"""Other tokenizers cut this otherwise."""

_log = structlog.get_logger("inference")


class Connection(NamedTuple):
    """An engine, the digest that its base model goes by, and where that model is."""

    engine: Serving[RemoteGenerator]
    digest: str
    source: str


class Parts(NamedTuple):
    """What makes prompts for the served model, and where its experts are, where whoever has started the server knows."""

    prompts: Prompts
    bank: RemoteBank | NoBank


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
    parts: Parts | None = None,
) -> Connection:
    """Try what the server can do, and make an engine of it. BAD_CONFIG, BAD_MODEL, or NOT_READY while it is away.

    `digest` and `source` say what the base model is and where it came from, where whoever has started the server knows; then
    its `parts` may be known too, and no folder is looked at.
    """
    served = find_served(server, settings.served)
    prompts, bank = parts or described(server, served, settings, home)
    digest = digest or settings.digest or identity(settings.model, served)
    takes_tokens = reads_tokens(server, served, prompts)
    if not takes_tokens:
        _log.warning("the model server takes no token ids: a text that spells one of its control tokens is refused")
    words = Words(prompts, takes_tokens=takes_tokens, scores=tells_likelihood(server, served))
    abilities = Abilities(
        grammar="structured_outputs" if server.binds(served) else "none",
        schema="response_format",
        token_ids=takes_tokens,
        likelihood="token_logprobs" if words.scores else "none",
        lora="load" if bank.slots else "none",
    )
    generator = RemoteGenerator(server, served, bank, words, abilities=abilities)
    return Connection(Serving(generator, digest, settings.warm_bytes), digest, source or f"{served} at {server.url}")


def described(server: Server, served: str, settings: Inference, home: Home) -> Parts:
    """The parts that the folder `model` describes."""
    shapes = model_shapes(settings.model)
    prompts = model_prompts(settings.model)
    bank = RemoteBank(
        server,
        served,
        Path(settings.exchange).expanduser().absolute() if settings.exchange else home.root / "exchange",
        shapes=shapes,
        dtype=dtype_of(settings.dtype),
        slots=settings.slots,
        rank=settings.rank,
    )
    return Parts(prompts, bank)


def model_shapes(folder: str) -> Mapping[str, Shape]:
    """The linears of the model whose `config.json` lies in `folder`; BAD_MODEL where there is none."""
    path = _config(folder).parent
    with _described(folder):
        config = AutoConfig.from_pretrained(path, **_LOCAL)
        kind: Any = AutoModelForCausalLM
        with torch.device("meta"):
            return linears(kind.from_config(config, trust_remote_code=False))


def model_prompts(folder: str) -> Prompts:
    """What makes prompts with the tokenizer and the chat template in `folder`; BAD_MODEL where there is no tokenizer."""
    path = _config(folder).parent
    with _described(folder):
        tokenizer = AutoTokenizer.from_pretrained(path, **_LOCAL)
        backend = tokenizer.backend_tokenizer
        backend.no_padding()
        backend.no_truncation()
        return Prompts(tokenizer, backend.to_str())


def reads_tokens(server: Server, served: str, prompts: Prompts) -> bool:
    """Whether the server takes token ids for a prompt, and its tokens are those of this house.

    It does where it counts as many in the ids as there are. BAD_MODEL where it then cuts a text into another number of them:
    the tokenizer here is that of another model.
    """
    ids = prompts.tokens(Row(prompt=_SAMPLE))
    there = server.count(served, _SAMPLE)
    try:
        if server.count(served, ids) != len(ids) or there is None:
            return False
    except BatosError as error:
        if error.code not in REFUSALS:
            raise
        return False
    if there != len(ids):
        raise BatosError(
            "BAD_MODEL",
            f"the tokenizer in `model` cuts a text into {len(ids)} tokens, and the one of {served} on the server into {there}",
            _HINT,
        )
    return True


def tells_likelihood(server: Server, served: str) -> bool:
    """Whether the server says at its completions how likely a token was."""
    try:
        return bool(server.say(served, _SAMPLE, 1).logprobs)
    except BatosError as error:
        if error.code not in REFUSALS:
            raise
        return False


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
