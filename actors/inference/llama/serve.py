"""From a kept GGUF file to what serves it: llama.cpp in a process of its own, and the generator for model servers before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from actors.inference.base_model import KeptModel
from actors.inference.llama.hosted import Hosted, start
from actors.inference.llama.keeping import header_of
from actors.inference.llama.sizing import Share, share
from actors.inference.llama.spelling import WHOLE, prompts_of
from actors.inference.model.gguf.header import AGAIN, GgufHeader
from actors.inference.model.linking import link
from actors.inference.remote.connection import attach
from actors.inference.remote.generator import RemoteGenerator
from actors.inference.remote.server import Server
from actors.inference.serving import Serving
from protocol.codec import Value
from protocol.errors import BatosError
from protocol.home import Home, Inference
from protocol.messages import Row, Turn

NAME: Final = "model"
_NO_EXPERTS: Final = "llama.cpp is not given experts yet: personas speak through their prompts alone"
_PACED: Final = "The keeper of the light counts the ships, and writes a letter to his sister every week. " * 3
_TRIED: Final = "The"
_TRIED_TOKENS: Final = 4
_PACED_CONTEXT: Final = 1024
"""A model with less is tiny: a batch of it says nothing, and that prompt may not fit."""


class Served(NamedTuple):
    """What generates, the process that it generates with, and what `status` says of it."""

    engine: Serving[RemoteGenerator]
    process: Hosted
    about: dict[str, Value]


class Watch(NamedTuple):
    """`began` is told of the process before it has loaded anything, so that it can be ended; `on_end`, that it ended by itself."""

    began: Callable[[Hosted], None]
    on_end: Callable[[int], None]


class _Started(NamedTuple):
    process: Hosted
    server: Server
    header: GgufHeader
    given: Share


def serve(kept: KeptModel, settings: Inference, home: Home, watch: Watch) -> Served:
    """llama.cpp with these files, warm and measured; it ends with the thread that calls this. BAD_MODEL, OUT_OF_MEMORY."""
    process, server, header, given = _start(kept, settings, home, watch)
    try:
        engine = attach(
            server, settings, home, digest=kept.digest, source=kept.source, prompts=prompts_of(server, header)
        ).engine
        abilities = engine.generator.abilities
        instead = {**abilities.instead, "lora": _NO_EXPERTS}
        engine.generator.abilities = msgspec.structs.replace(abilities, instead=instead)
        _measure(engine, given.longest)
    except BaseException:
        process.close()
        raise
    about: dict[str, Value] = {
        "device": "cpu",
        "dtype": header.quantization,
        "context": given.longest,
        "threads": given.threads,
    }
    return Served(engine, process, about)


def prove(kept: KeptModel, settings: Inference, home: Home, watch: Watch) -> None:
    """Have llama.cpp look at each weight, and write a few tokens after turns in the model's own template. BAD_MODEL, OUT_OF_MEMORY."""
    process, server, header, _ = _start(kept, settings, home, watch, is_new=True)
    try:
        prompt = prompts_of(server, header).tokens(Row(turns=[Turn(role="user", content=_TRIED)]))
        server.count(NAME, prompt)
        server.say(NAME, _TRIED, _TRIED_TOKENS)
    except BatosError as error:
        raise BatosError("BAD_MODEL", f"the model cannot be served: {error.message}", AGAIN) from error
    finally:
        process.close()


def _start(kept: KeptModel, settings: Inference, home: Home, watch: Watch, *, is_new: bool = False) -> _Started:
    header = header_of(kept, whole=WHOLE)
    given = share(header, settings)
    folder = home.root / "model"
    link(kept.files, folder)
    process = start(
        folder / min(kept.files),
        watch.on_end,
        name=NAME,
        context=given.context,
        rows=given.rows,
        threads=given.threads,
        kept_mib=given.kept >> 20,
        is_new=is_new,
    )
    watch.began(process)
    try:
        return _Started(process, Server(process.url(), process.key), header, given)
    except BaseException:
        process.close()
        raise


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
