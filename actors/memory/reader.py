"""How a text is read: its sentences, their meaning, and the passages that they make.

A reading is many small pieces of work on one thread, a batch of sentences each. So a long document does not keep a
short question waiting, and one that nobody waits for any more ends at its next batch.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np

from actors.memory.embedding import Embedder, batches, find_model
from actors.memory.texts.chunking import STRATEGIES, Vectors
from actors.memory.texts.passages import Divider, Passage
from protocol.errors import BatosError
from protocol.home import Memory as Settings

T = TypeVar("T")

MIN_CAP: Final = 16
MAX_CAP: Final = 4096
"""Bounds of a chunk's tokens: the cost of finding boundaries grows with the cap."""


class Reading(NamedTuple):
    """A document's passages in order, and a vector for each."""

    passages: list[Passage]
    vectors: Vectors


class PassageReader:
    """An embedding model, its thread, and another one for questions; `load` before use."""

    def __init__(self, settings: Settings) -> None:
        if not MIN_CAP <= settings.chunk_tokens <= MAX_CAP:
            raise BatosError(
                "BAD_CONFIG",
                f"[memory] chunk_tokens is {settings.chunk_tokens}",
                f"Give {MIN_CAP} to {MAX_CAP}.",
            )
        self._settings = settings
        self._embedder: Embedder | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="memory")
        self._asked: Embedder | None = None
        self._questions = ThreadPoolExecutor(max_workers=1, thread_name_prefix="question")
        self._closing = False

    async def load(self) -> None:
        """Load the model, once; BAD_MODEL where that cannot be done."""
        if self._embedder is None:
            embedder = await self._work(self._loaded)
            self._asked = await self._work(embedder.twin)
            self._embedder = embedder

    @property
    def is_loaded(self) -> bool:
        """Whether the model is there."""
        return self._embedder is not None

    def close(self) -> None:
        """End at the next batch."""
        self._closing = True
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._questions.shutdown(wait=False, cancel_futures=True)

    async def passages(
        self,
        text: str,
        stopped: Callable[[], bool],
        progress: Callable[[int, int], None] | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> Reading:
        """The passages of `text`, in order. CANCELLED where `stopped` says so between two batches.

        Of the metadata the `title` stands in each passage's context, and the `format` says whether the text is `code`.
        """
        known = metadata or {}
        title, is_code = known.get("title"), known.get("format") == "code"
        settings = self._settings
        divider = Divider(settings.chunk_tokens, self._ready().tokens, STRATEGIES[settings.chunking])
        parts = await self._work(lambda: divider.parts(text, title if isinstance(title, str) else "", is_code=is_code))
        units = [unit for part in parts if part.is_told_apart for unit in part.units]
        # The sentences that tell passages apart come first, and then all of them again, as passages.
        whole = sum(len(part.units) for part in parts)
        told = progress or (lambda _done, _total: None)
        apart = await self.vectors(
            [text[each.start : each.end] for each in units],
            stopped,
            lambda done, _total: told(done, len(units) + whole),
        )
        passages = await self._work(lambda: divider.passages(text, parts, apart))
        # A vector of the passage as a whole says more than the mean of its sentences'.
        vectors = await self.vectors(
            [each.read for each in passages],
            stopped,
            lambda done, total: told(len(units) + whole * done // total, len(units) + whole),
        )
        return Reading(passages, vectors)

    async def vectors(
        self,
        texts: Sequence[str],
        stopped: Callable[[], bool],
        progress: Callable[[int, int], None] | None = None,
    ) -> Vectors:
        """A unit vector for each text, in order."""
        embedder = self._ready()
        rows: dict[int, Vectors] = {}
        for batch in batches([len(text) for text in texts]):
            if stopped() or self._closing:
                raise BatosError("CANCELLED", "nobody waits for this any more; nothing was written", "Ask again.")
            made = await self._work(functools.partial(embedder.embed, [texts[n] for n in batch]))
            rows.update(zip(batch, made, strict=True))
            if progress is not None:
                progress(len(rows), len(texts))
        return np.stack([rows[n] for n in range(len(texts))]) if texts else np.zeros((0, 1), dtype=np.float32)

    async def question(self, text: str) -> Vectors:
        """The vector of a question, which waits for no document that is embedded meanwhile; NOT_READY before it `is_loaded`."""
        self._ready()
        twin = self._asked
        assert twin is not None, "it is made with the model"
        made = await asyncio.get_running_loop().run_in_executor(self._questions, lambda: twin.embed([text]))
        found: Vectors = made[0]
        return found

    def _ready(self) -> Embedder:
        if self._embedder is None:
            raise BatosError("NOT_READY", "memory has not loaded its model yet", "`batos status` says when.")
        return self._embedder

    def _loaded(self) -> Embedder:
        return Embedder(find_model(self._settings.model), self._settings.threads)

    async def _work(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
