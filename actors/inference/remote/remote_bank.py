"""The bank of a model server: slots are adapters that the server has loaded, each under the digest of its content.

A server keeps what it was given under a name, its prefixes too, so a name is never given twice to different content.
What it says is checked: an adapter must be listed, and it must change what the model says, because there are
servers that take modules they do not know, and then serve the base model under the adapter's name.
"""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog

from actors.inference.experts.tiers import ExpertSlots
from actors.inference.remote.server import Server
from actors.inference.weights.expert import Expert
from actors.inference.weights.lora import Shape
from protocol.errors import BatosError

if TYPE_CHECKING:
    import torch

_DIGEST: Final = re.compile(r"\.?[0-9a-f]{64}")
_PROBE: Final = "The"
_PROBE_TOKENS: Final = 8

_log = structlog.get_logger("inference")


class ServerBank(ExpertSlots, Protocol):
    """What a server lends of experts, and how a request names the one that is to speak."""

    def serve(self, digests: Iterable[str]) -> None:
        """The next rows use these."""

    def voice(self, sha256: str | None) -> dict[str, Any]:
        """The fields by which a request names the expert that is to speak; none for None, which is the base model."""


class RemoteBank:
    """`slots` adapters at once on `server`, over its model `served`, handed over in the folder `exchange`.

    Two threads may use it: what is said to the server about adapters is said by one of them at a time. `clear` says
    nothing, because it is called where nobody may wait; the server is told by the next `tidy` or `fill`.
    """

    pinned = False

    def __init__(
        self,
        server: Server,
        served: str,
        exchange: Path,
        *,
        shapes: Mapping[str, Shape],
        dtype: torch.dtype,
        slots: int,
        rank: int,
    ) -> None:
        """Whatever an earlier life has left behind there, and loaded from there, is let go."""
        self.shapes = shapes
        self.dtype = dtype
        self.slots = slots
        self.rank = rank
        self._server = server
        self._served = served
        self._exchange = exchange
        self._held: dict[int, str] = {}
        self._leaving: set[str] = set()
        self._changes: dict[str, bool] = {}
        self._talking = threading.Lock()
        exchange.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, model in server.models().items():
            if model.root and Path(model.root).is_relative_to(exchange):
                server.unload(name)
        for folder in exchange.iterdir():
            if _DIGEST.fullmatch(folder.name):
                shutil.rmtree(folder)

    def fill(self, slot: int, expert: Expert) -> None:
        """Have the server load the expert; BAD_EXPERT where it does not, or does not let it speak."""
        from actors.inference.weights.export import export, pairs  # noqa: PLC0415 - seconds of import

        sha256 = expert.sha256
        with self._talking:
            self._tidy()
            folder = self._exchange / sha256
            try:
                export(expert, self.shapes, folder, self._served)
            except OSError as error:
                raise BatosError(
                    "STORAGE",
                    f"the expert {sha256[:12]}… cannot be written to {self._exchange}: {error.strerror}",
                    "It is `exchange` under [inference] in batos.toml; is its disk full?",
                ) from error
            # An expert that has learned nothing yet says what the base model says.
            self._changes[sha256] = any(bool(a.any() and b.any()) for _, a, b in pairs(expert, self.shapes))
            try:
                if sha256 in self._server.models():
                    # Somebody else's, of whom nobody knows when it goes.
                    self._server.unload(sha256)
                self._load(sha256)
            except BatosError:
                shutil.rmtree(folder)
                raise
            self._held[slot] = sha256

    def clear(self, slot: int) -> None:
        """Nobody will name what is in `slot` any more."""
        self._leaving.add(self._held.pop(slot))

    def tidy(self) -> None:
        """Have the server forget what has left its slots."""
        with self._talking:
            self._tidy()

    def voice(self, sha256: str | None) -> dict[str, Any]:
        return {"model": sha256} if sha256 else {}

    def serve(self, digests: Iterable[str]) -> None:
        """The next rows use these. What a restart of the server has cost is loaded again."""
        wanted = set(digests)
        if not wanted:
            return
        with self._talking:
            for sha256 in sorted(wanted - set(self._server.models())):
                _log.warning("the model server has lost an expert, loading it again", sha256=sha256)
                self._load(sha256)

    def _tidy(self) -> None:
        while self._leaving:
            sha256 = self._leaving.pop()
            try:
                self._server.unload(sha256)
            except BatosError as error:
                # It may keep it: nobody names it there, and whoever comes next is told if there is no room.
                _log.warning("the model server was not told to forget an expert", sha256=sha256, error=error.message)
            shutil.rmtree(self._exchange / sha256, ignore_errors=True)

    def _load(self, sha256: str) -> None:
        try:
            self._server.load(sha256, self._exchange / sha256)
        except BatosError as error:
            if error.code != "BAD_ARGUMENT":
                raise
            raise _refused(sha256, error.message) from error
        if sha256 not in self._server.models():
            raise _refused(sha256, "the server has taken it and does not list it")
        if self._changes[sha256]:
            self._hear(sha256)

    def _hear(self, sha256: str) -> None:
        """The base model's and the expert's words must differ, if only in how likely they are."""
        base, expert = (self._server.say(model, _PROBE, _PROBE_TOKENS) for model in (self._served, sha256))
        if base == expert:
            self._server.unload(sha256)
            raise _refused(sha256, "the server has taken it, and what it says through it is the base model's own")


def _refused(sha256: str, why: str) -> BatosError:
    return BatosError(
        "BAD_EXPERT",
        f"the model server does not serve the expert {sha256[:12]}…: {why}",
        "Does it run with runtime LoRA updating, a large enough --max-lora-rank, and see `exchange`? docs/engines.md",
    )
