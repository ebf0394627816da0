"""The inference actor's shell: verbs in, texts out, experts kept and lent, and the start.

Its life: 1. it answers `status` at once; 2. it waits for the world; 3. if the world does not hold the configured model
yet, it converts that once and stores it; 4. it loads the model from the world's own files and warms it; 5. it is
ready, and generates one batch at a time in a thread of its own, so that heartbeats go on beside it; 6. on SIGTERM
generation ends at its next step.

Experts are checked, converted and moved between the tiers on that same thread, between two batches; the world is asked
what a name means when a batch is admitted, once for all of its rows.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import os
import shutil
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import msgspec
import structlog
from persistent.mapping import PersistentMapping

from bus.service import Call, Handler, serve, stop_on_signals
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import (
    Activate,
    ActorStatus,
    ExpertReply,
    Experts,
    ExpertsReply,
    ExpertView,
    Import,
    Infer,
    Inferred,
    Piece,
    StatusQuery,
)
from protocol.names import check_object
from world import awakening, blobs
from world.store import Store, commit, open_store, snapshot

if TYPE_CHECKING:
    from actors.inference.engine import Engine
    from actors.inference.expert import Content, Manifest

T = TypeVar("T")

RETRY_S: Final = 0.5
RETRY_MODEL_S: Final = 10.0
"""A model that cannot be used is looked at again, in case somebody mends it; that may cost a whole conversion."""
MARGIN_S: Final = 0.2
"""Generation ends this long before the deadline, so that what there is still arrives."""

_log = structlog.get_logger("inference")


class Kept(NamedTuple):
    """The base model as the world keeps it."""

    digest: str
    source: str
    files: dict[str, Path]


class Inference:
    """The parts of a running inference actor; `waiting_for` is empty once all of them are there."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.settings = home.settings()
        self.waiting_for = "the storage server"
        self._began = time.monotonic()
        self._closing = False
        self._store: Store | None = None
        self._engine: Engine | None = None
        self._model: Kept | None = None
        self._experts: dict[str, Content] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inference")

    async def begin(self) -> None:
        """Steps 2 to 4, again and again until they succeed; what is missing stands in `waiting_for`."""
        while self.waiting_for:
            try:
                await self._step()
            except BatosError as error:
                self.waiting_for = f"{error.message} {error.hint}".strip()
                _log.warning("not ready", code=error.code, reason=error.message)
                await asyncio.sleep(RETRY_MODEL_S if error.code.startswith("BAD_") else RETRY_S)

    async def close(self) -> None:
        self._closing = True
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._store is not None:
            await asyncio.to_thread(self._store.close)

    def handlers(self) -> dict[str, Handler]:
        return {
            "infer": self.infer,
            "import": self.take,
            "activate": self.activate,
            "experts": self.experts,
            "status": self.status,
        }

    async def infer(self, request: Infer, call: Call) -> Inferred:
        engine, model, _ = self._ready()
        named = {row.expert for row in request.rows if row.expert is not None}
        experts = await self._resolve(*named) if named else {}

        def should_stop() -> bool:
            return self._closing or call.cancelled.is_set() or call.remaining() < MARGIN_S

        def on_piece(row: int, text: str) -> None:
            call.partial(Piece(row=row, text=text))

        work = functools.partial(
            engine.generate, request.rows, on_piece if request.stream else None, should_stop, experts
        )
        inferred = await self._work(work)
        return msgspec.structs.replace(inferred, model=model.digest)

    async def take(self, request: Import, _call: Call) -> ExpertReply:
        """`import`: nothing that serves is touched until the new expert is committed, and nothing at all if it is bad."""
        from actors.inference import repository  # noqa: PLC0415 - it needs the model's libraries

        began = time.monotonic()
        engine, _, store = self._ready()
        name, path = check_object(request.name), Path(request.path)
        if not path.is_absolute():
            raise BatosError("BAD_ARGUMENT", f"{request.path[:200]!r} is no absolute path", "Give the whole path.")
        file = self._staging / uuid.uuid4().hex

        def convert() -> Manifest:
            self._staging.mkdir(mode=0o700, exist_ok=True)
            return engine.convert(path, file)

        try:
            manifest = await self._work(convert)
            kept = await store.run(lambda: repository.keep(store, name, manifest, file))
        finally:
            file.unlink(missing_ok=True)
        self._experts = {**self._experts, name: kept.content}
        if kept.orphan is not None:
            orphan = kept.orphan
            reason = f"{name} was replaced by {manifest.sha256[:12]}"
            await self._work(lambda: engine.release(orphan, reason))
        _log.info("imported", expert=name, sha256=manifest.sha256, tid=kept.tid)
        view = _view(name, kept.content, engine)
        return ExpertReply(expert=view, seconds=time.monotonic() - began, tid=kept.tid)

    async def activate(self, request: Activate, _call: Call) -> ExpertReply:
        """Bring an expert to the device; with `pin` False only let it go, for that needs nobody to be brought."""
        began = time.monotonic()
        engine, _, _ = self._ready()
        content = (await self._resolve(request.name))[request.name]
        if request.pin is False:
            await self._work(lambda: engine.unpin(content.sha256))
        else:
            await self._work(lambda: engine.activate(content, pin=request.pin is True))
        return ExpertReply(expert=_view(request.name, content, engine), seconds=time.monotonic() - began)

    async def experts(self, _request: Experts, _call: Call) -> ExpertsReply:
        engine, _, _ = self._ready()
        await self._resolve()
        return ExpertsReply(experts=[_view(name, content, engine) for name, content in self._experts.items()])

    async def status(self, _request: StatusQuery, _call: Call) -> ActorStatus:
        """From memory alone: what the world would have to be asked for would hang with it."""
        detail = dict(self._engine.stats()) if self._engine is not None else {}
        if (engine := self._engine) is not None:
            views = (_view(name, content, engine) for name, content in self._experts.items())
            detail["experts"] = [
                {"name": v.name, "sha256": v.sha256, "tier": v.tier, "bytes": v.bytes, "last_used": v.last_used}
                for v in views
            ]
        if self._model is not None:
            detail.update(model=self._model.source, digest=self._model.digest)
        return ActorStatus(
            ready=self._engine is not None,
            pid=os.getpid(),
            uptime_s=time.monotonic() - self._began,
            waiting_for=self.waiting_for,
            detail=detail,
        )

    @property
    def _staging(self) -> Path:
        """Where converted experts lie until the world takes them; on one disk with its blobs, so that they are moved."""
        return self.home.root / "import"

    def _ready(self) -> tuple[Engine, Kept, Store]:
        if self._engine is None or self._model is None or self._store is None:
            raise BatosError("NOT_READY", f"inference waits for {self.waiting_for}", "`batos status` says when.")
        return self._engine, self._model, self._store

    async def _resolve(self, *names: str) -> dict[str, Content]:
        """What these names mean now, and a fresh look at all of them for `status`; UNKNOWN_EXPERT."""
        from actors.inference import repository  # noqa: PLC0415 - it needs the model's libraries

        store = self._store
        assert store is not None
        self._experts = await store.run(lambda: repository.experts(store))
        return repository.resolve(self._experts, names)

    async def _step(self) -> None:
        if self._store is None:
            self._store = await asyncio.to_thread(
                open_store, self.settings, self.home, name="inference", seconds=RETRY_S * 4
            )
        store = self._store
        if await store.run(lambda: awakening.schema_version(store.db)) < awakening.CURRENT:
            raise BatosError("NOT_READY", "the world has not awakened yet.", "The orchestrator does that.")
        self.waiting_for = "the model's libraries"
        await self._work(_import_libraries)
        kept = await store.run(lambda: kept_model(store))
        source = await self._work(lambda: _source(self.settings.inference.model, self.settings.inference.dtype))
        if kept is None or kept.source != source:
            self.waiting_for = f"the conversion of {source}, once"
            kept = await self._incarnate(store)
        self.waiting_for = f"the model {kept.source}"
        began = time.monotonic()
        engine = await self._work(functools.partial(self._load, kept))
        shutil.rmtree(self._staging, ignore_errors=True)
        await self._resolve()
        _log.info("ready", model=kept.source, digest=kept.digest, seconds=round(time.monotonic() - began, 3))
        self._model, self._engine, self.waiting_for = kept, engine, ""

    async def _incarnate(self, store: Store) -> Kept:
        """Convert the configured model and store it; whatever an earlier attempt left behind goes first."""
        from actors.inference import incarnation  # noqa: PLC0415 - imported by `_import_libraries`, off the event loop

        folder = self.home.root / "incarnation"
        settings = self.settings.inference

        def make() -> incarnation.Manifest:
            shutil.rmtree(folder, ignore_errors=True)
            return incarnation.convert(incarnation.find(settings.model, settings.dtype), folder, settings.dtype)

        try:
            manifest = await self._work(make)
            files = {name: folder / name for name in manifest.files}
            await store.run(lambda: keep_model(store, manifest.digest, manifest.source, files))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        kept = await store.run(lambda: kept_model(store))
        if kept is None:
            raise BatosError("STORAGE", "the model was stored, and the world does not show it", "See the storage log.")
        return kept

    def _load(self, kept: Kept) -> Engine:
        from actors.inference import engine, incarnation  # noqa: PLC0415 - as above

        settings = self.settings.inference
        loaded = incarnation.load(kept.files, device=settings.device, dtype=settings.dtype, threads=settings.threads)
        local = engine.LocalEngine(
            loaded,
            base_model=kept.digest,
            slots=settings.slots,
            rank=settings.rank,
            warm_bytes=settings.warm_bytes,
        )
        local.warm()
        return local

    async def _work(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


async def run(home: Home) -> None:
    """Serve until SIGTERM."""
    stop = stop_on_signals()
    inference = Inference(home)
    beginning = asyncio.create_task(inference.begin())
    beginning.add_done_callback(lambda task: None if task.cancelled() or task.exception() is None else stop.set())
    try:
        await serve(home.bus, "inference", inference.handlers(), stop=stop)
    finally:
        await inference.close()
        beginning.cancel()
        await asyncio.gather(beginning, return_exceptions=True)
    if not beginning.cancelled() and (error := beginning.exception()) is not None:
        raise error


def kept_model(store: Store) -> Kept | None:
    """The base model that the world keeps, or None. On the world's thread."""
    with snapshot(store.db) as connection:
        model = connection.root()["pLLM_obj"].base_model
        if model is None:
            return None
        return Kept(model["digest"], model["source"], blobs.committed(model["files"]))


def keep_model(store: Store, digest: str, source: str, files: dict[str, Path]) -> None:
    """Store the files, which are moved, as the world's base model, in one transaction. On the world's thread."""
    with commit(store.db, user="inference", description=f"incarnation of {source}") as connection:
        kept = PersistentMapping(digest=digest, source=source, files=blobs.consume(files))
        connection.root()["pLLM_obj"].set_slot("base_model", kept)


def _view(name: str, content: Content, engine: Engine) -> ExpertView:
    place = engine.place(content.sha256)
    return ExpertView(
        name=name,
        sha256=content.sha256,
        tier=place.tier,
        bytes=content.bytes,
        rank=content.rank,
        base_model=content.base_model,
        last_used=place.last_used,
        pinned=place.pinned,
        reason=place.reason,
    )


def _import_libraries() -> None:
    """Seconds of imports, away from the event loop."""
    importlib.import_module("actors.inference.engine")
    importlib.import_module("actors.inference.repository")


def _source(model: str, dtype: str) -> str:
    from actors.inference import incarnation  # noqa: PLC0415 - as above

    return incarnation.find(model, dtype).name
