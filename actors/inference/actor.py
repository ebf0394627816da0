"""The inference actor's shell: verbs in, texts out, experts kept and lent, and the start.

Its life: 1. it answers `status` at once; 2. it waits for the world; 3. if the world does not hold the configured model
yet, it converts that once, tries it, stores it, and serves what it has tried; 4. otherwise it loads the model from the
world's own files and warms it (a GGUF file is kept and loaded as it is where llama.cpp serves it, in a process of its own; or,
instead of all that, it reaches the server that has it); 5. it is ready, and generates
one batch at a time in a thread of its own, so that heartbeats go on beside it; 6. on SIGTERM generation ends at its next
step.

Experts are checked, converted and copied for whoever waits on that same thread, between two batches; what a plan will need
is fetched on another, beside them (`experts/administration`).
"""

from __future__ import annotations

import asyncio
import functools
import gc
import importlib
import os
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
import structlog

from actors.inference.base_model import KeptModel, keep_model, kept_model, load_model
from bus.life import Actor
from bus.service import Call, Handler, stop_on_signals
from protocol.errors import BatosError
from protocol.home import Choice, Home, choose, gguf_file
from protocol.messages import (
    Activate,
    BaseModel,
    BaseModelReply,
    Evict,
    ExpertReply,
    Experts,
    ExpertsReply,
    GiveExpert,
    Import,
    Infer,
    Inferred,
    Piece,
    Prefetch,
)
from world import awakening
from world.store import Store, open_store

if TYPE_CHECKING:
    from actors.inference.experts.administration import Administration
    from actors.inference.llama import keeping
    from actors.inference.llama.hosted import Hosted
    from actors.inference.llama.serve import Watch
    from actors.inference.serving import Serving

T = TypeVar("T")

MARGIN_S: Final = 0.2
"""Generation ends this long before the deadline, so that what there is still arrives."""

_log = structlog.get_logger("inference")


class Inference(Actor):
    """The parts of a running inference actor."""

    service = "inference"

    def __init__(self, home: Home) -> None:
        super().__init__(home, "the storage server")
        self._closing = False
        self._store: Store | None = None
        self._engine: Serving[Any] | None = None
        self._model: KeptModel | None = None
        self._administration: Administration | None = None
        self._choice: Choice | None = None
        self._about: dict[str, Any] = {}
        self._process: Hosted | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inference")

    async def close(self) -> None:
        self._closing = True
        if self._process is not None:  # before the thread that has started it, with which it would end by itself
            await asyncio.to_thread(self._process.close)
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._administration is not None:
            self._administration.close()
        if self._store is not None:
            await asyncio.to_thread(self._store.close)

    def handlers(self) -> dict[str, Handler]:
        return {
            "infer": self.infer,
            "import": self.take,
            "give": self.give,
            "activate": self.activate,
            "prefetch": self.prefetch,
            "evict": self.evict,
            "experts": self.experts,
            "model": self.model,
            "status": self.status,
        }

    async def infer(self, request: Infer, call: Call) -> Inferred:
        engine, model, administration = self._ready()
        named = {row.expert for row in request.rows if row.expert is not None}
        experts = await administration.resolve(*named) if named else {}

        def should_stop() -> bool:
            return self._closing or call.cancelled.is_set() or call.remaining() < MARGIN_S

        def on_piece(row: int, text: str) -> None:
            call.partial(Piece(row=row, text=text))

        def generate() -> Inferred:
            if call.cancelled.is_set():  # while it waited behind another batch
                code = "CANCELLED" if call.remaining() > 0 else "TIMEOUT"
                raise BatosError(code, "nobody waits for these texts any more")
            return engine.generate(request.rows, on_piece if request.stream else None, should_stop, experts)

        inferred = await self._work(generate)
        return msgspec.structs.replace(inferred, model=model.digest)

    async def take(self, request: Import, _call: Call) -> ExpertReply:
        """`import`, which is no name in Python."""
        return await self._ready()[2].take(request)

    async def give(self, request: GiveExpert, _call: Call) -> ExpertReply:
        return await self._ready()[2].give(request)

    async def activate(self, request: Activate, _call: Call) -> ExpertReply:
        return await self._ready()[2].activate(request)

    async def prefetch(self, request: Prefetch, _call: Call) -> ExpertsReply:
        return await self._ready()[2].prefetch(request)

    async def evict(self, request: Evict, _call: Call) -> ExpertReply:
        return await self._ready()[2].evict(request)

    async def experts(self, _request: Experts, _call: Call) -> ExpertsReply:
        return await self._ready()[2].listed()

    async def model(self, _request: BaseModel, _call: Call) -> BaseModelReply:
        engine, model, _ = self._ready()
        abilities = engine.generator.abilities
        return BaseModelReply(
            digest=model.digest,
            source=model.source,
            grammars=abilities.grammar != "none",
            speed=engine.speed(),
            abilities=abilities,
        )

    async def _detail(self) -> dict[str, Any]:
        """From memory alone: what the world would have to be asked for would hang with it."""
        detail = dict(self._engine.stats()) if self._engine is not None else {}
        if self._administration is not None:
            detail["experts"] = self._administration.census()
        if self._model is not None:
            detail.update(model=self._model.source, digest=self._model.digest)
        if self._choice is not None:
            detail.update(self._about, engine=self._choice._asdict())
        return detail

    def _ready(self) -> tuple[Serving[Any], KeptModel, Administration]:
        if self.waiting_for or self._engine is None or self._model is None or self._administration is None:
            raise self._not_ready()
        return self._engine, self._model, self._administration

    async def _step(self) -> None:
        if self._store is None:
            self._store = await asyncio.to_thread(
                open_store, self.settings, self.home, name="inference", seconds=self.retry_s * 4
            )
        store = self._store
        if await store.run(lambda: awakening.schema_version(store.db)) < awakening.CURRENT:
            raise BatosError("NOT_READY", "the world has not awakened yet.", "The orchestrator does that.")
        began = time.monotonic()
        if self._model is None or self._engine is None:
            # KeptModel while the experts are waited for: a world that is away for a moment costs no second load.
            self._model, self._engine = await self._bring(store)
        self.waiting_for = "the experts that are staged or pinned"
        self._administration = await self._lend(store, self._engine)
        seconds = round(time.monotonic() - began, 3)
        _log.info("ready", model=self._model.source, digest=self._model.digest, seconds=seconds)
        self.waiting_for = ""

    async def _bring(self, store: Store) -> tuple[KeptModel, Serving[Any]]:
        """The base model and what generates with it, on this machine or on a server."""
        settings = self.settings.inference
        self._choice = choose(settings, self.home.root)
        _log.info("engine", **self._choice._asdict())
        if self._choice.engine == "llama":
            return await self._host(store)
        self.waiting_for = "the model's libraries"
        await self._work(_import_libraries)
        if self._choice.engine == "openai":
            self.waiting_for = f"the model server at {settings.url}"
            return await self._work(self._connect)
        kept = await store.run(lambda: kept_model(store))
        source = await self._work(lambda: _source(settings.model, settings.dtype))
        if kept is None or kept.source != source:
            self.waiting_for = f"the conversion of {Path(settings.model).name or 'the embedded model'}, once"
            return await self._incarnate(store)
        self.waiting_for = f"the model {kept.source}"
        return kept, await self._work(functools.partial(self._load, kept))

    async def _host(self, store: Store) -> tuple[KeptModel, Serving[Any]]:
        """The configured GGUF file behind llama.cpp; one that the world does not hold yet is tried and copied there first."""
        self.waiting_for = "llama.cpp"
        await self._work(lambda: importlib.import_module("actors.inference.llama.serve"))
        from actors.inference.llama import keeping  # noqa: PLC0415 - imported above, off the event loop

        path = gguf_file(self.settings.inference, self.home.root)
        assert path is not None
        source = await self._work(lambda: keeping.find(path))
        kept = await store.run(lambda: kept_model(store))
        if kept is None or kept.source != source.name:
            await self._keep(store, source)
            kept = await store.run(lambda: kept_model(store))
            if kept is None:
                raise _not_shown()
        self.waiting_for = f"llama.cpp, which loads {path.name}"
        return kept, await self._work(functools.partial(self._serve, kept))

    async def _keep(self, store: Store, source: keeping.Source) -> None:
        """Try the file where it lies, and store a copy of it. What cannot be served is not kept."""
        from actors.inference.llama import keeping, serve  # noqa: PLC0415 - as above

        folder = self.home.root / "incarnation"
        tried = KeptModel(source.stamp, source.name, {path.name: path for path in source.paths})

        def say(where: str) -> None:
            self.waiting_for = where

        self.waiting_for = f"a trial of {source.paths[0]}, once"
        await self._work(lambda: serve.prove(tried, self.settings.inference, self.home, self._watch()))
        try:
            made = await self._work(lambda: keeping.copy(source, folder, say))
            await store.run(lambda: keep_model(store, made.digest, made.source, made.files))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _serve(self, kept: KeptModel) -> Serving[Any]:
        from actors.inference.llama import serve  # noqa: PLC0415 - as above

        served = serve.serve(kept, self.settings.inference, self.home, self._watch())
        self._about = served.about
        return served.engine

    def _watch(self) -> Watch:
        from actors.inference.llama.serve import Watch  # noqa: PLC0415 - as above

        def began(process: Hosted) -> None:
            self._process = process
            if self._closing:
                process.close()

        return Watch(began, lambda _: self.end())

    def end(self) -> None:
        """llama.cpp is gone, and so is this process: supervisord starts both anew, and `status` counts that."""
        if not self._closing:
            os.kill(os.getpid(), signal.SIGTERM)

    async def _lend(self, store: Store, engine: Serving[Any]) -> Administration:
        from actors.inference.experts.administration import Administration  # noqa: PLC0415 - it needs the model's libraries

        administration = Administration(self.home, store, engine.tiers, engine.convert, self._work)
        await administration.begin()
        return administration

    async def _incarnate(self, store: Store) -> tuple[KeptModel, Serving[Any]]:
        """Convert the configured model, try it and store it; whatever an earlier attempt left behind goes first."""
        from actors.inference.model import incarnation  # noqa: PLC0415 - imported by `_import_libraries`, off the event loop

        folder = self.home.root / "incarnation"
        settings = self.settings.inference

        waits = self.waiting_for

        def tell(read: int, whole: int) -> None:
            self.waiting_for = f"{waits}: {100 * read // max(whole, 1)} % are read"

        def make() -> incarnation.ModelManifest:
            shutil.rmtree(folder, ignore_errors=True)
            gc.collect()
            made = incarnation.convert(incarnation.find(settings.model, settings.dtype), folder, settings.dtype, tell)
            self.waiting_for = f"{waits}: it is tried"
            gc.collect()
            return made

        try:
            manifest = await self._work(make)
            files = {name: folder / name for name in manifest.files}
            tried = KeptModel(manifest.digest, manifest.source, files)
            # What cannot be served must not be kept; and what was tried is what serves.
            engine = await self._work(lambda: self._load(tried, is_new=True))
            await store.run(lambda: keep_model(store, manifest.digest, manifest.source, files))
            kept = await store.run(lambda: kept_model(store))
            if kept is None:
                raise _not_shown()
            incarnation.relink(kept.files, self.home.root / "model")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return kept, engine

    def _load(self, kept: KeptModel, *, is_new: bool = False) -> Serving[Any]:
        """What generates with these files, warm; BAD_MODEL where they make anything raise: it is theirs, not ours."""
        from actors.inference import engine  # noqa: PLC0415 - as above
        from actors.inference.model import incarnation  # noqa: PLC0415 - as above

        settings = self.settings.inference
        loaded = load_model(kept, settings, self.home.root / "model")
        with incarnation.readable(f"the model {kept.source} cannot be served"):
            local = engine.serve(loaded, settings, kept.digest)
            (engine.prove if is_new else engine.warm)(local)
        return local

    def _connect(self) -> tuple[KeptModel, Serving[Any]]:
        from actors.inference.remote.connection import connect  # noqa: PLC0415 - as above

        engine, digest, source = connect(self.settings.inference, self.home)
        return KeptModel(digest, source, {}), engine

    async def _work(self, work: Callable[[], T]) -> T:
        def whole() -> T:
            try:
                return work()
            except StopIteration as error:  # a future cannot carry it, and would never end
                raise RuntimeError("an iterator ended where something was expected") from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, whole)


async def run(home: Home) -> None:
    """Serve until SIGTERM; NEWER_WORLD where the world is not for this program."""
    await Inference(home).live(stop_on_signals())


def _import_libraries() -> None:
    """Seconds of imports, away from the event loop."""
    importlib.import_module("actors.inference.engine")
    importlib.import_module("actors.inference.experts.administration")


def _not_shown() -> BatosError:
    return BatosError("STORAGE", "the model was stored, and the world does not show it", "See the storage log.")


def _source(model: str, dtype: str) -> str:
    from actors.inference.model import incarnation  # noqa: PLC0415 - as above

    return incarnation.find(model, dtype).name
