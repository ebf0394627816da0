"""Experts that go along with a bundle: as the files that their world keeps, known again by their sha256.

Inference writes such a file, and takes one in as it takes an adapter: an expert that is not made for the base model of a world
is refused there, and is refused here before anything of the bundle is taken in.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cli import wire
from cli.bundles.document import BundledExpert
from cli.calls import experts
from protocol import verbs
from protocol.errors import BatosError
from protocol.home import Home
from protocol.messages import BaseModel, GiveExpert


async def given(home: Home, wanted: set[str]) -> list[BundledExpert]:
    """Those experts of the world that are called one of the words in `wanted`, as files."""
    found = []
    with _folder(home) as folder:
        for one in await experts.listed(home):
            if one.name in wanted:
                path = folder / one.sha256
                asked = GiveExpert(name=one.name, path=str(path))
                reply = await wire.ask(home, verbs.GIVE_EXPERT, asked, seconds=experts.WORK_S)
                expert = reply.expert
                found.append(BundledExpert(expert.name, expert.sha256, expert.base_model, path.read_bytes()))
    return found


async def lacking(home: Home, brought: Sequence[BundledExpert]) -> list[BundledExpert]:
    """Those that the world does not have yet. BAD_EXPERT for one of another base model, NAME_TAKEN for another of that name."""
    loaded = (await wire.ask(home, verbs.MODEL, BaseModel())).digest
    known = {one.name: one.sha256 for one in await experts.listed(home)}
    for one in brought:
        if one.base_model != loaded:
            raise BatosError(
                "BAD_EXPERT",
                f"the expert {one.name} was made for the base model {one.base_model[:12]}…, and {loaded[:12]}… is loaded",
                "Nothing was taken in. Have the bundle exported without --experts, or use that model.",
            )
        if known.get(one.name, one.sha256) != one.sha256:
            raise BatosError(
                "NAME_TAKEN",
                f"there is already another expert called {one.name}",
                "Nothing was taken in. Have the bundle exported without --experts.",
            )
    return [one for one in brought if one.name not in known]


async def take(home: Home, brought: Sequence[BundledExpert]) -> None:
    """Import them; what goes wrong says that the objects of the bundle are there."""
    with _folder(home) as folder:
        for one in brought:
            path = folder / f"{one.sha256}.safetensors"
            path.write_bytes(one.file)
            try:
                await experts.bring(home, str(path), one.name, None)
            except BatosError as error:
                hint = f"The objects of the bundle are taken in; the expert {one.name} is not. {error.hint}".rstrip()
                raise BatosError(error.code, error.message, hint, **error.data) from error


@contextmanager
def _folder(home: Home) -> Iterator[Path]:
    try:
        with tempfile.TemporaryDirectory(prefix="bundle-", dir=home.root) as folder:
            yield Path(folder)
    except OSError as error:
        raise BatosError(
            "STORAGE", f"cannot write to {home.root}: {error.strerror}", "Make room on its disk."
        ) from error
