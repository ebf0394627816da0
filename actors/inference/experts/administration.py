"""Experts as others ask for them: imported, activated, fetched for a plan, listed.

The world says what a name means. It is asked when a batch is admitted, once for all of its rows, so that no batch mixes
an expert's old content with its new. Whatever somebody waits for is done on the thread that generates, between
two batches; what a plan will need is fetched on a thread of its own, which gives way to the other.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import structlog

from actors.inference.experts import repository, staging
from actors.inference.experts.tiers import Tiers, stand_back
from actors.inference.weights.expert import Content, Manifest
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import Activate, Evict, ExpertReply, ExpertsReply, ExpertView, GiveExpert, Import, Prefetch
from protocol.names import check_object
from world.store import Store

_CENSUS: Final = ("name", "sha256", "tier", "bytes", "last_used", "pinned", "reason")

_log = structlog.get_logger("inference")

Work = Callable[[Callable[[], Any]], Awaitable[Any]]
Convert = Callable[[Path, Path], Manifest]


class Administration:
    """The experts of one bank and one world. `work` runs what moves them on the thread that generates.

    `convert` checks an adapter and writes it as an expert into a new file; BAD_EXPERT.
    """

    def __init__(self, home: Home, store: Store, tiers: Tiers, convert: Convert, work: Work) -> None:
        self._home = home
        self._store = store
        self._tiers = tiers
        self._convert = convert
        self._work = work
        self._experts: dict[str, Content] = {}
        self._pinning = asyncio.Lock()
        self._ahead = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch", initializer=stand_back)

    async def begin(self) -> None:
        """Clear what a killed import has left, take in what lies in the staging folder, once, and bring what is pinned."""
        shutil.rmtree(self._workshop, ignore_errors=True)
        await self.listed()
        for staged in staging.found(self._home.staging):
            refusal: BatosError | None = None
            try:
                await self._take(staged.path, check_object(staged.name))
            except BatosError as error:
                if not error.is_input:
                    # The adapter is not to blame; it stays where it is, for the next start.
                    _log.warning("an adapter in the staging folder waits", expert=staged.name, reason=error.message)
                    continue
                refusal = error
                _log.warning("an adapter in the staging folder is refused", expert=staged.name, reason=error.message)
            try:
                staging.settle(staged, self._home.staging, refusal)
            except OSError as error:
                _log.warning("a staged adapter could not be moved away", expert=staged.name, reason=str(error))
        for name in await self._store.run(lambda: repository.pinned(self._store)):
            await self._repin(self._experts[name])

    def close(self) -> None:
        self._ahead.shutdown(wait=False, cancel_futures=True)

    async def resolve(self, *names: str) -> dict[str, Content]:
        """What these names mean now; UNKNOWN_EXPERT."""
        return await self._store.run(lambda: repository.resolve(self._store, names))

    async def take(self, request: Import) -> ExpertReply:
        """Nothing that serves is touched until the new expert is committed, and nothing at all if it is bad."""
        began = time.monotonic()
        path = Path(request.path)
        if not path.is_absolute():
            raise BatosError("BAD_ARGUMENT", f"{request.path[:200]!r} is no absolute path", "Give the whole path.")
        kept = await self._take(path, check_object(request.name))
        view = self._view(kept.content)
        return ExpertReply(expert=view, seconds=time.monotonic() - began, tid=kept.tid)

    async def give(self, request: GiveExpert) -> ExpertReply:
        """Copy an expert's file out of the world, verified on the way; BAD_EXPERT where the disk has spoiled it, STORAGE."""
        began = time.monotonic()
        path = Path(request.path)
        if not path.is_absolute():
            raise BatosError("BAD_ARGUMENT", f"{request.path[:200]!r} is no absolute path", "Give the whole path.")
        content = (await self.resolve(request.name))[request.name]
        await asyncio.to_thread(_copied, content, path)
        return ExpertReply(expert=self._view(content), seconds=time.monotonic() - began)

    async def activate(self, request: Activate) -> ExpertReply:
        """Bring an expert to the device; with `pin` False only let it go, for that needs nobody to be brought."""
        began = time.monotonic()
        if request.pin is None:
            content, tid = (await self.resolve(request.name))[request.name], None
            await self._work(lambda: self._tiers.activate(content))
        else:
            async with self._pinning:
                content = (await self.resolve(request.name))[request.name]
                tid = await (self._pin(content) if request.pin else self._unpin(content))
        view = self._view(content)
        return ExpertReply(expert=view, seconds=time.monotonic() - began, tid=tid)

    async def evict(self, request: Evict) -> ExpertReply:
        """Have an expert nowhere but in the world; BUSY where it is pinned or in use."""
        began = time.monotonic()
        content = (await self.resolve(request.name))[request.name]
        await self._work(lambda: self._tiers.evict(content))
        return ExpertReply(expert=self._view(content), seconds=time.monotonic() - began)

    async def prefetch(self, request: Prefetch) -> ExpertsReply:
        """Begin to fetch what a plan will use, and answer at once: nobody waits for what is only a hint.

        A name that means nothing is passed over; whoever uses it will be told.
        """
        contents = list((await self.resolve(*filter(self._experts.__contains__, request.experts))).values())
        self._ahead.submit(self._tiers.prefetch, request.plan, contents).add_done_callback(_tell)
        return self._views(contents)

    async def listed(self) -> ExpertsReply:
        """All of them, looked at anew, in `census` too."""
        self._experts = await self._store.run(lambda: repository.experts(self._store))
        return self._views(self._experts.values())

    def census(self) -> list[dict[str, Any]]:
        """The experts for `status`: from memory, since what the world would be asked for would hang with it."""
        return [
            {field: getattr(view, field) for field in _CENSUS} for view in self._views(self._experts.values()).experts
        ]

    async def _take(self, path: Path, name: str) -> repository.KeptExpert:
        file = self._workshop / uuid.uuid4().hex

        def convert() -> Manifest:
            try:
                self._workshop.mkdir(mode=0o700, exist_ok=True)
                return self._convert(path, file)
            except OSError as error:
                why = f"the expert cannot be written to {self._workshop}: {error.strerror}"
                raise BatosError("STORAGE", why, "Is the disk full?") from error

        try:
            manifest = await self._work(convert)
            async with self._pinning:
                kept = await self._store.run(lambda: repository.keep(self._store, name, manifest, file))
                self._experts = {**self._experts, name: kept.content}
                if kept.orphan is not None:
                    orphan = kept.orphan
                    reason = f"{name} was replaced by {manifest.sha256[:12]}"
                    await self._work(lambda: self._tiers.release(orphan, reason))
                if kept.pinned:
                    await self._repin(kept.content)
        finally:
            file.unlink(missing_ok=True)
        _log.info("imported", expert=name, sha256=manifest.sha256, tid=kept.tid)
        return kept

    async def _pin(self, content: Content) -> str | None:
        """On the device first: what cannot be there is refused, and the world never promises it."""
        before = content.name in self._tiers.place(content.sha256).pinned
        await self._work(lambda: self._tiers.activate(content, pin=True))
        try:
            return await self._store.run(lambda: repository.pin(self._store, content.name, on=True))
        except BaseException:
            if not before:
                await self._work(lambda: self._tiers.unpin(content))
            raise

    async def _unpin(self, content: Content) -> str | None:
        """In the world first: what a restart would pin again was not let go."""
        tid = await self._store.run(lambda: repository.pin(self._store, content.name, on=False))
        await self._work(lambda: self._tiers.unpin(content))
        return tid

    async def _repin(self, content: Content) -> None:
        """Bring what the world says is pinned. Where that cannot be, everybody is served all the same, and can see why."""
        try:
            await self._work(lambda: self._tiers.repin(content))
        except BatosError as error:
            _log.warning("a pinned expert is not on the device", expert=content.name, reason=error.message)

    def _views(self, contents: Iterable[Content]) -> ExpertsReply:
        return ExpertsReply(experts=[self._view(content) for content in contents])

    def _view(self, content: Content) -> ExpertView:
        place = self._tiers.place(content.sha256)
        return ExpertView(
            name=content.name,
            sha256=content.sha256,
            tier=place.tier,
            bytes=content.bytes,
            rank=content.rank,
            base_model=content.base_model,
            last_used=place.last_used,
            pinned=content.name in place.pinned,
            reason=_misfit(content, self._tiers.layout.base_model) or place.reason,
            invocation=list(content.invocation),
        )

    @property
    def _workshop(self) -> Path:
        """Where converted experts lie until the world takes them; on one disk with its blobs, so that they are moved."""
        return self._home.root / "import"


def _misfit(content: Content, loaded: str) -> str:
    """What keeps the expert from ever being used here; empty where nothing does."""
    if content.base_model == loaded:
        return ""
    return f"made for the base model {content.base_model[:12]}…, and {loaded[:12]}… is loaded: its persona speaks through prompts"


def _tell(done: Future[None]) -> None:
    """What a fetch came to; the rows that need the expert will meet the same, and be told."""
    if not done.cancelled() and (error := done.exception()) is not None:
        _log.warning("an expert could not be fetched", reason=str(error))


def _copied(content: Content, path: Path) -> None:
    """The bytes that the world was given, in a new file that its owner alone may read; nothing where they are others."""
    try:
        data = content.path.read_bytes()
    except OSError as error:
        raise BatosError(
            "BAD_EXPERT", f"the file of the expert {content.name!r} cannot be read: {error.strerror}"
        ) from error
    if hashlib.sha256(data).hexdigest() != content.sha256:
        raise BatosError(
            "BAD_EXPERT",
            f"the file of the expert {content.name!r} is not what was imported",
            "Import the adapter again: `batos expert import PATH NAME`.",
        )
    try:
        with path.open("xb") as file:
            path.chmod(0o600)
            file.write(data)
    except OSError as error:
        raise BatosError(
            "STORAGE", f"cannot write {path}: {error.strerror}", "Name a new file in a folder that is yours."
        ) from error
