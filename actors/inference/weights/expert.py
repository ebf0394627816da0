"""An expert as the world keeps it: one flat file in the layout of the bank, identified by its content.

The file is a safetensors file whose bytes follow from the weights alone: the linears in the model's order, for each
`NAME.A` [rank, inputs] and `NAME.B` [rank, outputs], the scaling multiplied in. Its header is written here, because the
library's own differs from call to call. The sha256 of the whole file is the expert's identity; no name is in it. B
stands transposed, as a slot of the bank holds it: so a slot is filled by copying, and nothing is turned at load.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import torch

from actors.inference.weights.lora import Adapter, Shape
from protocol.errors import BatosError

FORMAT: Final = "batos-expert-1"

_MAX_HEADER: Final = 10_000_000
_ALIGN: Final = 64
_LENGTH_BYTES: Final = 8
_NAMES: Final = {"torch.bfloat16": "BF16", "torch.float16": "F16", "torch.float32": "F32"}
_HINT: Final = "Import the adapter again: `batos expert import PATH NAME`."


class Manifest(NamedTuple):
    """What an expert is. `alpha` is as its maker told it; `bytes` the size of its file; `modules` the linears it changes.

    `invocation` are the tokens from whose last occurrence in a prompt on it reads and speaks; empty: from the beginning.
    """

    sha256: str
    base_model: str
    rank: int
    alpha: float
    bytes: int
    modules: tuple[str, ...]
    invocation: tuple[int, ...] = ()


class Content(NamedTuple):
    """An expert's content and where its cold bytes lie. `name` is for messages only: the sha256 is the identity.

    `invocation` stands in the file too; here it is, because a prompt is divided by it before the file is read.
    """

    name: str
    sha256: str
    base_model: str
    rank: int
    bytes: int
    path: Path
    invocation: tuple[int, ...] = ()


class Expert(NamedTuple):
    """Verified weights in memory. `ranks` has one number a linear, 0 where it stays as it is.

    `sha256` is the content's. `parts` are views of `flat`, which holds all matrices: for each linear with a rank its A,
    then its B, each flattened.
    """

    sha256: str
    flat: torch.Tensor
    ranks: tuple[int, ...]
    parts: tuple[torch.Tensor, ...]


class Layout(NamedTuple):
    """What a file must fit to be served: the model's linears, its digest and type, and the bank's rank."""

    shapes: Mapping[str, Shape]
    base_model: str
    dtype: torch.dtype
    rank: int


def write_expert(adapter: Adapter, layout: Layout, path: Path) -> Manifest:
    """Write the adapter as an expert's file, synced; BAD_EXPERT where its numbers do not fit the model's type."""
    metadata = {
        "format": FORMAT,
        "base_model": layout.base_model,
        "rank": str(adapter.rank),
        "alpha": repr(float(adapter.alpha)),
    }
    if adapter.invocation:
        metadata["invocation"] = json.dumps(adapter.invocation)
    header: dict[str, Any] = {"__metadata__": metadata}
    matrices: list[torch.Tensor] = []
    end = 0
    for name, pair in adapter.pairs.items():
        for kind, matrix in (("A", pair.a), ("B", pair.b.t())):
            fitted = matrix.to(layout.dtype).contiguous()
            if not bool(fitted.isfinite().all()):
                raise BatosError(
                    "BAD_EXPERT", f"{name}: its scaled weights are too large for {layout.dtype}", "Lower its alpha."
                )
            start, end = end, end + fitted.numel() * fitted.element_size()
            header[f"{name}.{kind}"] = {
                "dtype": _NAMES[str(layout.dtype)],
                "shape": list(fitted.shape),
                "data_offsets": [start, end],
            }
            matrices.append(fitted)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + _LENGTH_BYTES) % _ALIGN)
    whole = hashlib.sha256()
    with path.open("xb") as file:
        for piece in (len(text).to_bytes(_LENGTH_BYTES, "little"), text, *map(_bytes, matrices)):
            file.write(piece)
            whole.update(piece)
        file.flush()
        os.fsync(file.fileno())
    return Manifest(
        sha256=whole.hexdigest(),
        base_model=layout.base_model,
        rank=adapter.rank,
        alpha=adapter.alpha,
        bytes=path.stat().st_size,
        modules=tuple(adapter.pairs),
        invocation=adapter.invocation,
    )


def manifest_of(path: Path) -> Manifest | None:
    """What a file of the world's own form says that it is; None where it is of another form. Its numbers are not looked at."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            header = json.loads(file.read(length)) if 0 < length <= _MAX_HEADER else {}
            metadata = header.pop("__metadata__", {})
            if metadata.get("format") != FORMAT:
                return None
            file.seek(0)
            return Manifest(
                sha256=hashlib.file_digest(file, "sha256").hexdigest(),
                base_model=str(metadata["base_model"]),
                rank=int(metadata["rank"]),
                alpha=float(metadata["alpha"]),
                bytes=path.stat().st_size,
                modules=tuple(name.removesuffix(".A") for name in header if name.endswith(".A")),
                invocation=tuple(map(int, json.loads(metadata.get("invocation", "[]")))),
            )
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    except (KeyError, TypeError) as error:
        raise BatosError("BAD_EXPERT", f"the expert's file has a header that is none: {error!r}", _HINT) from error


def adopt_expert(manifest: Manifest, path: Path, layout: Layout, target: Path) -> Manifest:
    """Copy an expert's own file into the new file `target`, synced, where it fits; BAD_EXPERT otherwise."""
    content = Content(
        path.name, manifest.sha256, manifest.base_model, manifest.rank, manifest.bytes, path, manifest.invocation
    )
    expert = read_expert(content, layout)
    if max(expert.ranks, default=0) != manifest.rank:
        raise _spoiled(content, "its rank is another than that of its weights")
    with path.open("rb") as whole, target.open("xb") as made:
        shutil.copyfileobj(whole, made)
        made.flush()
        os.fsync(made.fileno())
    return manifest


def read_expert(content: Content, layout: Layout, *, pinned: bool = False) -> Expert:
    """The expert's bytes in memory (page-locked for a device where `pinned`), checked once; BAD_EXPERT otherwise."""
    if content.base_model != layout.base_model:
        raise BatosError(
            "BAD_EXPERT",
            f"the expert {content.name!r} was made for the base model {content.base_model[:12]}…, "
            f"and {layout.base_model[:12]}… is loaded",
            "Import an adapter of that name that was trained on this model.",
        )
    if content.rank > layout.rank:
        raise BatosError(
            "BAD_EXPERT",
            f"the expert {content.name!r} is of rank {content.rank}, and the bank holds at most {layout.rank}",
            f"Set `rank = {content.rank}` under [inference] in batos.toml, then `batos down` and `batos up`.",
        )
    try:
        with content.path.open("rb") as file:
            raw = _read(file, pinned=pinned)
    except OSError as error:
        raise _spoiled(content, f"its file cannot be read: {error.strerror}") from error
    if hashlib.sha256(_memory(raw)).hexdigest() != content.sha256:
        raise _spoiled(content, "its bytes are not those that were imported")
    expert = _open(content, layout, raw)
    # min and max propagate NaN, so two numbers tell; to test each element takes fifty times as long.
    if not all(bool(end.isfinite()) for end in expert.flat.aminmax()):
        raise _spoiled(content, "a number in it is not finite")
    return expert


def _open(content: Content, layout: Layout, raw: torch.Tensor) -> Expert:
    """The views of a file whose bytes are known to be the imported ones."""
    try:
        start = _LENGTH_BYTES + int.from_bytes(raw[:_LENGTH_BYTES].numpy().tobytes(), "little")
        header: dict[str, Any] = json.loads(raw[_LENGTH_BYTES:start].numpy().tobytes())
        metadata = header.pop("__metadata__")
        if metadata["format"] != FORMAT or metadata["base_model"] != layout.base_model:
            raise _spoiled(
                content, f"its file is of the format {metadata['format']!r} for {metadata['base_model'][:12]}…"
            )
        if tuple(json.loads(metadata.get("invocation", "[]"))) != content.invocation:
            raise _spoiled(content, "its invocation is another than that of its file")
        ranks: list[int] = []
        sizes: list[int] = []
        end = 0
        for name, shape in layout.shapes.items():
            a, b = header.pop(f"{name}.A", None), header.pop(f"{name}.B", None)
            if a is None and b is None:
                ranks.append(0)
                continue
            rank = a["shape"][0]
            ranks.append(rank)
            for part, width in ((a, shape.inputs), (b, shape.outputs)):
                size = rank * width
                begin, end = end, end + size * layout.dtype.itemsize
                fits = part["shape"] == [rank, width] and part["data_offsets"] == [begin, end]
                if not fits or part["dtype"] != _NAMES[str(layout.dtype)] or not 0 < rank <= layout.rank:
                    raise _spoiled(content, f"{name} does not fit the bank (rank {layout.rank}, {layout.dtype})")
                sizes.append(size)
        if header or start + end != raw.numel():
            raise _spoiled(content, "its file holds more, or less, than its linears")
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise _spoiled(content, f"its header is none: {error!r}") from error
    flat = raw[start:].view(layout.dtype)
    return Expert(content.sha256, flat, tuple(ranks), flat.split(sizes))  # type: ignore[no-untyped-call]


def _read(file: io.BufferedReader, *, pinned: bool) -> torch.Tensor:
    import torch  # noqa: PLC0415 - seconds of import, which whoever has no experts is spared

    size = os.fstat(file.fileno()).st_size
    raw = torch.empty(size, dtype=torch.uint8, pin_memory=pinned)
    if file.readinto(_memory(raw)) != size:
        raise OSError(0, "it shrank while it was read")
    return raw


def _memory(raw: torch.Tensor) -> memoryview:
    array: Any = raw.numpy()
    return memoryview(array)


def _bytes(matrix: torch.Tensor) -> bytes:
    import torch  # noqa: PLC0415 - seconds of import, which whoever has no experts is spared

    return matrix.view(torch.uint8).numpy().tobytes()


def _spoiled(content: Content, why: str) -> BatosError:
    return BatosError("BAD_EXPERT", f"the expert {content.name!r} cannot be served: {why}", _HINT)
