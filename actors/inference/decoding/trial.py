"""The trial of a model before the world keeps it: a batch must say what the model says to each row alone.

Rows of unlike lengths share a pass, prompts are read in blocks, and what was read is not read again. A model that looks
both ways, counts the padding, or keeps a memory of its own answers otherwise then, and nobody would be told.
So a few texts are read as rows are, and once more as the model's own library reads them.
"""

from __future__ import annotations

import itertools
from typing import Any, Final

import numpy as np
import torch

from actors.inference.decoding.bank import Bank
from actors.inference.decoding.decoding import heard
from actors.inference.decoding.prefixes import Prefixes
from actors.inference.model.sources import HINT
from protocol.errors import BatosError

_TEXT: Final = "The keeper of the light counts the ships, and writes a letter to his sister every week. "
_STEPS: Final = 7
_ENDS: Final = (40, 4)
"""Tokens after a first block: the shorter end has so many columns of the longer one between it and its block."""
_SHORT: Final = 5
_TOLERANCE: Final = {torch.float32: 0.01}
_TOLERANCE_16: Final = 0.1
"""Of the logits' own deviation: what rounding may differ by (root mean square, the median of the steps). Of tiny models in
bfloat16 those that are served right differ by 0.03 at most, with experts that are chosen too; the others by 0.16 at least."""


def check_rows(model: Any, bank: Bank, prefixes: Prefixes, tokenizer: Any, context: int) -> None:
    """BAD_MODEL where the model cannot be served in rows as it speaks alone, or says what is no number."""
    if context <= 2 * _STEPS:
        raise BatosError("BAD_MODEL", f"the model takes {context} tokens at most, which is too few to talk", HINT)
    texts = _texts(tokenizer, prefixes.block, context)
    with torch.inference_mode():
        alone = [_alone(model, bank, text) for text in texts]
    if not all(np.isfinite(logits).all() for logits in alone):
        raise BatosError("BAD_MODEL", "the model's numbers for plain words are not finite", HINT)
    if any(np.ptp(logits, axis=-1).min() == 0 for logits in alone):
        raise BatosError("BAD_MODEL", "the model finds all words alike: its numbers for them are the same", HINT)
    together = heard(model, bank, prefixes, [(text[:-_STEPS], text[-_STEPS:]) for text in texts])
    # A processor multiplies what is quantized in 16 bits, whatever the model's type is.
    is_quantized = getattr(model, "is_quantized", False)
    tolerance = _TOLERANCE_16 if is_quantized else _TOLERANCE.get(model.dtype, _TOLERANCE_16)
    # What is no number is not within it either.
    if not all(_difference(ours, theirs) <= tolerance for ours, theirs in zip(together, alone, strict=True)):
        raise BatosError(
            "BAD_MODEL",
            f"a {type(model).__name__} {_cause(model, bank, texts[0], tolerance)}",
            "Such models cannot be served here. " + HINT,
        )


def _texts(tokenizer: Any, block: int, context: int) -> list[tuple[int, ...]]:
    """Two texts that go beyond a block of `block` tokens by unlike ends, and a short one, none longer than `context`."""
    tokens = tuple(tokenizer(_TEXT, add_special_tokens=False)["input_ids"])
    if len(tokens) <= _STEPS:
        raise BatosError(
            "BAD_MODEL", f"the tokenizer makes {len(tokens)} tokens of {len(_TEXT)} plain characters", HINT
        )
    lengths = [*(block + end for end in _ENDS), _SHORT]
    return [
        tuple(itertools.islice(itertools.cycle(tokens), place, place + min(length + _STEPS, context)))
        for place, length in enumerate(lengths)
    ]


def _alone(model: Any, bank: Bank, text: tuple[int, ...], steps: int = _STEPS) -> Any:
    """Logits for the last `steps` tokens and what follows the text, [steps + 1, words], in one pass without a memory."""
    logits = model(input_ids=torch.tensor([text], device=bank.device), use_cache=False).logits
    return logits[0, -steps - 1 :].float().cpu().numpy()


def _difference(ours: Any, theirs: Any) -> float:
    """How unlike two [steps, words] are, in deviations of the second's words: 0 for the same."""
    return float(np.median(np.sqrt(((ours - theirs) ** 2).mean(axis=-1)) / (theirs.std(axis=-1) + 1e-6)))


def _cause(model: Any, bank: Bank, text: tuple[int, ...], tolerance: float) -> str:
    """Why rows and the model alone differ: what it says after a beginning may depend on what comes later."""
    with torch.inference_mode():
        half = (len(text) + 1) // 2
        whole = _alone(model, bank, text, len(text) - half + _STEPS)[: _STEPS + 1]
        beginning = _alone(model, bank, text[:half])
    if not _difference(beginning, whole) <= tolerance:
        return "reads what comes after a word too, where a text is to grow word by word"
    return "says something else in a batch of rows than alone"
