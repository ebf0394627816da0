"""The trial of a model before the world keeps it: a batch must say what the model says to each row alone.

Rows of unlike lengths share a pass, prompts are read in blocks, and what was read is not read again. A model that looks
both ways, counts the padding, or keeps a memory of its own answers otherwise then, and nobody would be told.
So two texts are read as rows are, and once more as the model's own library reads them.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch

from actors.inference.bank import Bank
from actors.inference.decoding import heard
from actors.inference.prefixes import Prefixes
from actors.inference.sources import HINT
from protocol.errors import BatosError

_TEXT: Final = "The keeper of the light counts the ships, and writes a letter to his sister every week. " * 5
_SHORT: Final = 7
_LONG: Final = 75
_STEPS: Final = 3
_TOLERANCE: Final = {torch.float32: 0.01}
_TOLERANCE_16: Final = 0.15
"""Of the logits' own deviation: what rounding may differ by (root mean square, the median of the steps)."""


def check_rows(model: Any, bank: Bank, prefixes: Prefixes, tokenizer: Any, context: int) -> None:
    """BAD_MODEL where the model cannot be served in rows as it speaks alone, or says what is no number."""
    tokens = tuple(tokenizer(_TEXT, add_special_tokens=False)["input_ids"])[: min(_LONG, context)]
    if len(tokens) <= 2 * _STEPS:
        raise BatosError(
            "BAD_MODEL", f"the tokenizer makes {len(tokens)} tokens of {len(_TEXT)} plain characters", HINT
        )
    texts = [tokens, tokens[:_SHORT]]
    with torch.inference_mode():
        alone = [_alone(model, bank, text) for text in texts]
    if not all(np.isfinite(logits.max()) for logits in alone):
        raise BatosError("BAD_MODEL", "the model's numbers for plain words are not finite", HINT)
    together = heard(model, bank, prefixes, [(text[:-_STEPS], text[-_STEPS:]) for text in texts])
    tolerance = _TOLERANCE.get(model.dtype, _TOLERANCE_16)
    for ours, theirs in zip(together, alone, strict=True):
        spread = theirs.std(axis=-1) + 1e-6
        if float(np.median(np.sqrt(((ours - theirs) ** 2).mean(axis=-1)) / spread)) > tolerance:
            raise BatosError(
                "BAD_MODEL",
                f"a {type(model).__name__} says something else in a batch of rows than alone",
                "Such models cannot be served here. " + HINT,
            )


def _alone(model: Any, bank: Bank, text: tuple[int, ...]) -> Any:
    """Logits for the last tokens of the text and what follows it, [steps + 1, words], in one pass without a memory."""
    logits = model(input_ids=torch.tensor([text], device=bank.device), use_cache=False).logits
    return logits[0, -_STEPS - 1 :].float().cpu().numpy()
