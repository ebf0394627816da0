"""From a kept GGUF file to what serves it: llama.cpp in a process of its own, and the generator for model servers before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from actors.inference.base_model import KeptModel
from actors.inference.llama.hosted import Hosted, start
from actors.inference.llama.keeping import head_of
from actors.inference.llama.sizing import quantization, share
from actors.inference.llama.spelling import prompts_of
from actors.inference.model.linking import link
from actors.inference.remote.connection import attach
from actors.inference.remote.generator import RemoteGenerator
from actors.inference.remote.server import Server
from actors.inference.serving import Serving
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.home import Home, Inference
from protocol.messages import Row

NAME: Final = "model"
_NO_EXPERTS: Final = "llama.cpp is not given experts yet: personas speak through their prompts alone"
_PACED: Final = "The keeper of the light counts the ships, and writes a letter to his sister every week. " * 3
_PACED_CONTEXT: Final = 1024
"""A model with less is tiny: a batch of it says nothing, and that prompt may not fit."""


class Served(NamedTuple):
    """What generates, the process that it generates with, and what `status` says of it."""

    engine: Serving[RemoteGenerator]
    process: Hosted
    about: dict[str, Value]


def serve(
    kept: KeptModel,
    settings: Inference,
    home: Home,
    *,
    began: Callable[[Hosted], None],
    on_end: Callable[[int], None],
    is_new: bool = False,
) -> Served:
    """llama.cpp with these files, warm and measured. BAD_MODEL, OUT_OF_MEMORY.

    `began` is told of the process before it has loaded anything, so that it can be ended meanwhile. It ends with the thread
    that calls this; `on_end` is called where it ends by itself.
    """
    head, weights = head_of(kept)
    given = share(head, weights, settings)
    folder = home.root / "model"
    link(kept.files, folder)
    process = start(
        folder / min(kept.files),
        on_end,
        name=NAME,
        context=given.context,
        rows=given.rows,
        threads=given.threads,
        kept_mib=given.kept_mib,
        is_new=is_new,
    )
    began(process)
    try:
        server = Server(process.url(), process.key)
        prompts = prompts_of(server, head)
        engine = attach(server, settings, home, digest=kept.digest, source=kept.source, prompts=prompts).engine
        abilities = engine.generator.abilities
        instead = {**abilities.instead, "lora": _NO_EXPERTS}
        engine.generator.abilities = msgspec.structs.replace(abilities, instead=instead)
        _measure(engine, given.longest)
    except BatosError as error:
        process.close()
        if is_new and error.code in {"NOT_READY", "GENERATION_FAILED", "BAD_ARGUMENT"}:
            raise BatosError("BAD_MODEL", f"the model cannot be served: {error.message}", error.hint) from error
        raise
    except BaseException:
        process.close()
        raise
    about: dict[str, Value] = {
        "device": "cpu",
        "dtype": quantization(head),
        "context": given.longest,
        "threads": given.threads,
        "experts_served": False,
    }
    return Served(engine, process, about)


def _measure(engine: Serving[RemoteGenerator], context: int) -> None:
    """See how fast it reads and writes, so that the first deadline need not be guessed: a prompt, four texts, and one alone."""
    if context < _PACED_CONTEXT:
        engine.generate([Row(prompt="a", max_tokens=2)])
        return
    made = engine.generate([Row(prompt=_PACED, max_tokens=1)])
    engine.generator.pace.has_read(made.prompt_tokens, made.seconds)
    # It is not read again.
    engine.generate([Row(prompt=_PACED, seed=seed, max_tokens=8) for seed in range(4)])
    engine.generate([Row(prompt=_PACED, max_tokens=8)])
