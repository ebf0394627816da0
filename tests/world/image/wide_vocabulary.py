"""A large vocabulary of tokens that join words and signs, as those of large models have them: what costs a form most."""

from __future__ import annotations

import itertools
import json
import string
from typing import Final

from llguidance import LLTokenizer
from tokenizers.pre_tokenizers import ByteLevel

ENDS: Final = "([.,:=)"
NESTED: Final = "([{,.\"' )]:"
BYTES: Final = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}


def wide_vocabulary() -> LLTokenizer:
    """Some 67,000 tokens: runs of signs, words with what may stand after them, all of these with a blank before them."""
    signs = string.punctuation + "\n"
    runs = ["".join(run) for count in (1, 2) for run in itertools.product(signs, repeat=count)]
    runs += ["".join(run) for run in itertools.product(NESTED, repeat=3)]
    letters = (itertools.product(string.ascii_lowercase, repeat=count) for count in (1, 2, 3))
    words = ["".join(word) for word in itertools.chain(*letters)]
    texts = [*map(chr, range(256)), *runs, *words]
    texts += [f" {text}" for text in (*runs, *words)]
    texts += [f" {word}{end}" for word in words[:700] for end in ENDS]
    texts += [f"{word}{end}{more}" for word in words[:300] for end in ENDS for more in ("", " ", "(", ")", "[", "\n")]
    texts += [f"{sign}{word}" for sign in signs for word in words[:300]]
    return LLTokenizer(json.dumps(_tokenizer(texts)))


def _tokenizer(texts: list[str]) -> dict[str, object]:
    level = ByteLevel(add_prefix_space=False, use_regex=False)
    spelt = ("".join(piece for piece, _ in level.pre_tokenize_str(text)) for text in texts)
    vocabulary = {token: place for place, token in enumerate(dict.fromkeys([*sorted(ByteLevel.alphabet()), *spelt]))}
    end = {"id": len(vocabulary), "content": "<|endoftext|>", "special": True}
    vocabulary["<|endoftext|>"] = len(vocabulary)
    return {
        "added_tokens": [{**end, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}],
        "decoder": BYTES,
        "pre_tokenizer": BYTES,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    }
